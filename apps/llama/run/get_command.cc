// llama get: fetches files from the object store by their digest.
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/file.h"
#include "llama/command.h"
#include "llama/run/stored_files.h"
#include "store/digest.h"

namespace llama::app {
namespace {

constexpr std::array<Option, 1> kOptions = {{{"-o", true}}};

Result<std::string> Fetch(store::ObjectStore& store, const std::string& digest) {
  ASSIGN_OR_RETURN(const std::string key, StoredFileKey(digest));
  auto bytes = store.Get(key);
  if (!bytes && bytes.error().code == Code::kNotFound) {
    return Error{Code::kNotFound, digest + ": not in the store"};
  }
  if (bytes && store::Sha256(*bytes).Hex() != digest) {
    return Error{Code::kInvalid,
                 digest + ": damaged in the store; 'llama store --verify' repairs it"};
  }
  return bytes;
}

// Without -o one goes to stdout; several become files named by their digests.
Result<void> Deliver(const ParsedArguments& parsed, const std::string& digest,
                     const std::string& bytes) {
  const std::string out = parsed.Value("-o");
  const bool to_stdout = out.empty() ? parsed.rest.size() == 1 : out == "-";
  if (to_stdout) return WriteAll(STDOUT_FILENO, bytes, "stdout");
  if (out.empty()) return WriteFileAtomic(digest, bytes, 0644);
  if (!out.ends_with('/')) return WriteFileAtomic(out, bytes, 0644);
  TRY(MakeDirs(out.substr(0, out.size() - 1)));
  return WriteFileAtomic(out + digest, bytes, 0644);
}

int Run(const Arguments& arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto parsed = ParseArguments(arguments, kOptions);
  if (!parsed) return UsageError("get", parsed.error().message);
  if (parsed->rest.empty()) return UsageError("get", "no digest to get");
  const std::string out = parsed->Value("-o");
  if (parsed->rest.size() > 1 && !out.empty() && !out.ends_with('/')) {
    return UsageError("get", "several files need a folder: -o DIR/");
  }
  for (const std::string& digest : parsed->rest) {
    if (const auto key = StoredFileKey(digest); !key) return UsageError("get", key.error().message);
  }
  const auto backend = OpenConfiguredStore();
  if (!backend) {
    PrintError(backend.error().message);
    return kFailed;
  }
  int status = kOk;
  for (const std::string& digest : parsed->rest) {
    const auto bytes = Fetch(*backend->store, digest);
    const auto delivered = bytes ? Deliver(*parsed, digest, *bytes) : Result<void>(bytes.error());
    if (delivered) continue;
    PrintError(delivered.error().message);
    status = kFailed;
  }
  return status;
}

}  // namespace

const Command kGetCommand = {
    "get", "fetch files from the object store",
    "usage: llama get [-o FILE|DIR/] DIGEST...\n"
    "\n"
    "Fetches what 'llama store' put there, by its SHA-256, and checks that it is that. One goes "
    "to\n"
    "standard output, several become files named by their digests. A file appears whole or not at\n"
    "all.\n"
    "\n"
    "  -o FILE  write it there; with '/' at the end a folder for several; - is standard output\n"
    "\n"
    "example: llama get -o model.bin "
    "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\n",
    Run};

}  // namespace llama::app
