#include "exports/io/gzip.h"

#include <zlib.h>

#include <limits>

namespace llama::exports {

Result<std::string> Gzip(std::string_view bytes) {
  constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for gzip's frame
  if (bytes.size() > std::numeric_limits<uInt>::max() / 2) {
    return Error{Code::kInvalid, "too large to compress at once"};
  }
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return Error{Code::kInternal, "zlib can't be set up"};
  }
  std::string input(bytes);  // zlib's interface is not const
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) return Error{Code::kInternal, "zlib did not finish"};
  return out;
}

}  // namespace llama::exports
