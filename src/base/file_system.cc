#include "base/file_system.h"

#include <cerrno>

#include "base/file.h"

namespace llama {
namespace {

class Local final : public FileSystem {
 public:
  int Lstat(const std::string& path, struct stat& st) const override {
    return lstat(path.c_str(), &st) == 0 ? 0 : errno;
  }
  int Stat(const std::string& path, struct stat& st) const override {
    return stat(path.c_str(), &st) == 0 ? 0 : errno;
  }
  Result<std::string> ReadLink(const std::string& path) const override {
    return llama::ReadLink(path);
  }
  Result<std::string> ReadFile(const std::string& path, uint64_t max_bytes) const override {
    return llama::ReadFile(path, max_bytes);
  }
  Result<std::string> RealPath(const std::string& path) const override {
    return llama::RealPath(path);
  }
};

}  // namespace

const FileSystem& LocalFileSystem() {
  static const Local local;
  return local;
}

}  // namespace llama
