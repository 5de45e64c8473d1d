#include "tree/layer.h"

#include <zstd.h>

#include <algorithm>
#include <memory>

#include "base/codec.h"
#include "base/file.h"

namespace llama::tree {
namespace {

constexpr std::string_view kLayerMagic = "llamaly1";
constexpr std::string_view kKeyPrefix = "layers/";
// Level 3 packs headers to a fifth at 200 MB/s; level 9 gains a tenth and costs five times that.
// Level 2 loses a twentieth and takes two thirds of the time, which is what a project's first build
// feels: a toolchain goes up once, its headers with every unit that brings new ones.
constexpr int kLongPackLevel = 3;
constexpr int kCompressionLevel = 2;
// Compilers resemble each other: cc1plus repeats a good part of cc1, 30 MB before it. A window over
// both makes gcc's layer an eighth smaller at no more time. 27 is what every decoder takes
// (ZSTD_WINDOWLOG_LIMIT_DEFAULT); it needs as much memory as the pack is large, 128 MiB at most.
constexpr uint64_t kLongPackBytes = 8 << 20;
constexpr int kMaxWindowLog = 27;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

uint64_t TotalBytes(const std::vector<BlobRef>& blobs) {
  uint64_t total = 0;
  for (const BlobRef& blob : blobs) total += blob.size_bytes;
  return total;
}

// One zstd frame of known content size, appended to a string.
class PackWriter {
 public:
  PackWriter(std::string& out, uint64_t pack_bytes)
      : out_(out), context_(ZSTD_createCCtx()), chunk_(ZSTD_CStreamOutSize(), '\0') {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kCompressionLevel);
    ZSTD_CCtx_setPledgedSrcSize(context_.get(), pack_bytes);
    if (pack_bytes < kLongPackBytes) return;
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLongPackLevel);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_enableLongDistanceMatching, 1);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, kMaxWindowLog);
  }

  Result<void> Append(std::string_view bytes, bool last) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (true) {
      ZSTD_outBuffer out{chunk_.data(), chunk_.size(), 0};
      const size_t left =
          ZSTD_compressStream2(context_.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left)) {
        return Error{Code::kInternal, std::string("zstd: ") + ZSTD_getErrorName(left)};
      }
      out_.append(chunk_, 0, out.pos);
      if (last ? left == 0 : in.pos == in.size) return {};
    }
  }

 private:
  std::string& out_;
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
  std::string chunk_;
};

class PackReader {
 public:
  explicit PackReader(std::string_view frame)
      : context_(ZSTD_createDCtx()), in_{frame.data(), frame.size(), 0} {}

  // Exactly `size` further bytes. False: the frame is damaged or holds fewer.
  bool Read(uint64_t size, std::string& bytes) {
    bytes.clear();
    while (bytes.size() < size) {
      // In steps, so that memory follows what the frame really holds, not what it declares.
      const size_t begin = bytes.size();
      bytes.resize(begin + std::min<uint64_t>(size - begin, uint64_t{16} << 20));
      if (!Fill(bytes, begin)) return false;
    }
    return true;
  }

  // Whether the frame ended and nothing follows it. To be asked when all content was read.
  bool AtEnd() {
    char beyond = 0;
    while (!ended_) {
      ZSTD_outBuffer out{&beyond, 1, 0};
      if (!Step(out) || out.pos != 0) return false;
    }
    return in_.pos == in_.size;
  }

 private:
  bool Fill(std::string& bytes, size_t begin) {
    ZSTD_outBuffer out{bytes.data(), bytes.size(), begin};
    while (out.pos < out.size) {
      if (ended_ || !Step(out)) return false;
    }
    return true;
  }

  // Some progress, or false.
  bool Step(ZSTD_outBuffer& out) {
    const size_t in_before = in_.pos;
    const size_t out_before = out.pos;
    const size_t hint = ZSTD_decompressStream(context_.get(), &out, &in_);
    if (ZSTD_isError(hint)) return false;
    ended_ = hint == 0;
    return ended_ || in_.pos != in_before || out.pos != out_before;
  }

  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  ZSTD_inBuffer in_;
  bool ended_ = false;
};

// What stands before the frame, with the varints at their shortest: a longer one is not canonical,
// and its last byte then stands where the frame should begin.
size_t HeadBytes(std::string_view encoded_manifest, uint64_t pack_bytes) {
  Encoder sizes;
  sizes.Uint(encoded_manifest.size());
  sizes.Uint(pack_bytes);
  return kLayerMagic.size() + sizes.str().size() + encoded_manifest.size();
}

class LocalFileSource final : public BlobSource {
 public:
  Result<std::string> Read(const std::string& path, const Entry& entry) override {
    Result<std::string> bytes = ReadFile(path, entry.size_bytes);
    if (!bytes && bytes.error().code == Code::kInvalid) {
      return Error{Code::kUnavailable, path + ": grew since it was digested"};
    }
    return bytes;
  }
};

Error Damaged(const std::string& key, std::string_view what) {
  return Error{Code::kInvalid, key + ": " + std::string(what)};
}

Result<void> ReadPack(const std::string& key, std::string_view frame,
                      const std::vector<BlobRef>& blobs, BlobSink& sink) {
  std::vector<bool> wanted(blobs.size());
  size_t end = 0;  // one past the last that is wanted
  for (size_t i = 0; i < blobs.size(); ++i) {
    wanted[i] = sink.Wants(blobs[i].digest);
    if (wanted[i]) end = i + 1;
  }
  PackReader reader(frame);
  std::string bytes;
  for (size_t i = 0; i < end; ++i) {
    if (!reader.Read(blobs[i].size_bytes, bytes)) return Damaged(key, "damaged pack");
    if (!wanted[i]) continue;
    if (store::Sha256(bytes) != blobs[i].digest) {
      return Damaged(key, "wrong content of " + *blobs[i].path);
    }
    TRY(sink.Put(blobs[i].digest, bytes));
  }
  const bool read_to_end = end > 0 && end == blobs.size() && !frame.empty();
  if (read_to_end && !reader.AtEnd()) return Damaged(key, "more content than declared");
  return {};
}

}  // namespace

std::unique_ptr<BlobSource> NewLocalFileSource() { return std::make_unique<LocalFileSource>(); }

Result<LayerObject> BuildLayer(const Manifest& manifest, BlobSource& source) {
  TRY(CheckManifest(manifest));
  const std::vector<BlobRef> blobs = DistinctBlobs(manifest);
  const uint64_t pack_bytes = TotalBytes(blobs);
  Encoder head;
  head.Raw(kLayerMagic);
  head.Bytes(EncodeManifest(manifest));
  head.Uint(pack_bytes);
  LayerObject object;
  object.bytes = head.Take();
  if (pack_bytes > 0) {
    // Of memory, only what is written counts; growing by copies would take it thrice.
    object.bytes.reserve(object.bytes.size() + ZSTD_compressBound(pack_bytes));
    PackWriter writer(object.bytes, pack_bytes);
    for (const BlobRef& blob : blobs) {
      ASSIGN_OR_RETURN(const std::string bytes, source.Read(*blob.path, *blob.entry));
      if (bytes.size() != blob.size_bytes || store::Sha256(bytes) != blob.digest) {
        return Error{Code::kUnavailable, *blob.path + ": changed since it was digested"};
      }
      TRY(writer.Append(bytes, false));
    }
    TRY(writer.Append({}, true));
  }
  object.key = std::string(kKeyPrefix) + store::Sha256(object.bytes).Hex();
  return object;
}

Result<Manifest> ReadLayer(const std::string& key, std::string_view bytes, BlobSink& sink) {
  if (key != std::string(kKeyPrefix) + store::Sha256(bytes).Hex()) {
    return Damaged(key, "the object is not what its key says");
  }
  Decoder in(bytes);
  if (in.Raw(kLayerMagic.size()) != kLayerMagic) return Damaged(key, "no layer of this version");
  const std::string_view encoded = in.Bytes();
  const uint64_t pack_bytes = in.Uint();
  if (!in.ok()) return Damaged(key, "cut short");
  Result<Manifest> manifest = DecodeManifest(encoded);
  if (!manifest) return std::move(manifest).error().With(key);

  const std::vector<BlobRef> blobs = DistinctBlobs(*manifest);
  if (pack_bytes != TotalBytes(blobs)) return Damaged(key, "wrong size of the pack");
  const std::string_view frame = bytes.substr(HeadBytes(encoded, pack_bytes));
  if (pack_bytes == 0) {
    if (!frame.empty()) return Damaged(key, "more content than declared");
  } else if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != pack_bytes) {
    return Damaged(key, "the frame does not declare the pack's size");
  }
  TRY(ReadPack(key, frame, blobs, sink));
  return manifest;
}

}  // namespace llama::tree
