#include "aws/control/zip.h"

#include <sys/stat.h>
#include <zip.h>

#include <memory>

namespace llama::aws {
namespace {

Error ZipError(std::string_view what, const char* why) {
  return {Code::kInvalid, "zip " + std::string(what) + ": " + why};
}

Result<void> Add(zip_t* archive, const ZipEntry& entry) {
  zip_source_t* source =
      zip_source_buffer(archive, entry.bytes.data(), entry.bytes.size(), /*freep=*/0);
  if (source == nullptr) return ZipError(entry.name, zip_strerror(archive));
  const zip_int64_t added = zip_file_add(archive, entry.name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (added < 0) {
    zip_source_free(source);
    return ZipError(entry.name, zip_strerror(archive));
  }
  const auto index = static_cast<zip_uint64_t>(added);
  const zip_uint32_t attributes = (S_IFREG | entry.mode) << 16;
  // 1980-01-01 00:00, the first moment that a zip can name.
  if (zip_set_file_compression(archive, index, ZIP_CM_DEFLATE, 9) != 0 ||
      zip_file_set_dostime(archive, index, 0, 0x21, 0) != 0 ||
      zip_file_set_external_attributes(archive, index, 0, ZIP_OPSYS_UNIX, attributes) != 0) {
    return ZipError(entry.name, zip_strerror(archive));
  }
  return {};
}

Result<std::string> BytesOf(zip_source_t* source) {
  zip_stat_t st;
  if (zip_source_stat(source, &st) != 0 || (st.valid & ZIP_STAT_SIZE) == 0 ||
      zip_source_open(source) != 0) {
    return ZipError("archive", "its bytes can't be read");
  }
  std::string out(st.size, '\0');
  const zip_int64_t got = zip_source_read(source, out.data(), out.size());
  zip_source_close(source);
  if (got != static_cast<zip_int64_t>(out.size())) return ZipError("archive", "it is incomplete");
  return out;
}

}  // namespace

Result<std::string> MakeZip(const std::vector<ZipEntry>& entries) {
  if (entries.empty()) return ZipError("archive", "it has no entries");
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* created = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (created == nullptr) return ZipError("archive", zip_error_strerror(&error));
  const std::unique_ptr<zip_source_t, decltype(&zip_source_free)> source(created, zip_source_free);
  zip_t* archive = zip_open_from_source(source.get(), ZIP_TRUNCATE, &error);
  if (archive == nullptr) return ZipError("archive", zip_error_strerror(&error));
  zip_source_keep(source.get());  // the archive takes one reference, we read by the other
  for (const ZipEntry& entry : entries) {
    if (auto added = Add(archive, entry); !added) {
      zip_discard(archive);
      return std::move(added).error();
    }
  }
  if (zip_close(archive) != 0) {
    Error failed = ZipError("archive", zip_strerror(archive));
    zip_discard(archive);
    return failed;
  }
  return BytesOf(source.get());
}

}  // namespace llama::aws
