// A function's code as anybody may upload it: what is unpacked lies below the folder, is files and
// folders alone, and is no more than is allowed.
#include <filesystem>

#include "base/file.h"
#include "base/fuzz.h"
#include "emulator/lambda/zip.h"

namespace llama::emulator {

FUZZ_TARGET(zip) {
  static const TempDir home = std::move(TempDir::Create("zip_fuzz")).value();
  const std::string dir = home.path() + "/task";
  const bool holds = ZipHolds(zip, "bootstrap").has_value();
  const bool unpacked = Unzip(zip, dir).has_value();
  CHECK(holds || !unpacked);
  const auto names = ListDir(home.path());
  CHECK(names &&
        *names == (unpacked ? std::vector<std::string>{"task"} : std::vector<std::string>()));
  if (!unpacked) return;
  uint64_t size = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    CHECK(!entry.is_symlink() && (entry.is_regular_file() || entry.is_directory()));
    if (entry.is_regular_file()) size += entry.file_size();
  }
  CHECK(size <= kMaxUnzippedBytes);
  CHECK(RemoveTree(dir).has_value());
}

}  // namespace llama::emulator
