// llama store: puts files into the object store by their digest.
#include <array>
#include <cstdio>

#include "base/file.h"
#include "llama/command.h"
#include "llama/run/stored_files.h"
#include "store/digest.h"

namespace llama::app {
namespace {

constexpr std::array<Option, 1> kOptions = {{{"--verify"}}};

Result<std::string> StoreFile(store::ObjectStore& store, const std::string& path, bool verify) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxStoredBytes));
  const std::string digest = store::Sha256(bytes).Hex();
  ASSIGN_OR_RETURN(const std::string key, StoredFileKey(digest));
  ASSIGN_OR_RETURN(const bool written, store.Put(key, bytes));
  if (!written && verify) {
    const auto there = store.Get(key);
    if (!there || *there != bytes) {
      store::PutOptions replace;
      replace.if_absent = false;
      TRY(store.Put(key, bytes, replace));
    }
  }
  return digest;
}

int Run(const Arguments& arguments) {
  const auto parsed = ParseArguments(arguments, kOptions);
  if (!parsed) return UsageError("store", parsed.error().message);
  if (parsed->rest.empty()) return UsageError("store", "no file to store");
  const auto backend = OpenConfiguredStore();
  if (!backend) {
    PrintError(backend.error().message);
    return kFailed;
  }
  int status = kOk;
  for (const std::string& path : parsed->rest) {
    const auto digest = StoreFile(*backend->store, path, parsed->Has("--verify"));
    if (!digest) {
      PrintError(digest.error().message);
      status = kFailed;
      continue;
    }
    std::printf("%s  %s\n", digest->c_str(), path.c_str());
  }
  return status;
}

}  // namespace

const Command kStoreCommand = {
    "store", "put files into the object store",
    "usage: llama store [--verify] FILE...\n"
    "\n"
    "Puts each file into the object store and prints its SHA-256 and its name, as sha256sum does.\n"
    "'llama get' fetches it by that.\n"
    "\n"
    "  --verify  read what is there already, and replace it if it is damaged\n"
    "\n"
    "example: llama store model.bin\n",
    Run};

}  // namespace llama::app
