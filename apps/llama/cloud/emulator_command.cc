// llama emulator: S3 and Lambda on this machine.
#include <sys/resource.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "client/connection.h"
#include "emulator/emulator.h"
#include "llama/command.h"

namespace llama::app {
namespace {

using emulator::EmulatorOptions;
using emulator::ModelSettings;

constexpr uint16_t kDefaultPort = 4566;
constexpr uint64_t kMaxFileBytes = 1 << 20;

constexpr auto kOptions = std::to_array<Option>({
    {"--port", true},
    {"--port-file", true},
    {"--listen", true},
    {"--dir", true},
    {"--tls"},
    {"--cert", true},
    {"--key", true},
    {"--region", true},
    {"--access-key", true},
    {"--secret-file", true},
    {"--expire-after", true},
    {"--model", true},
    {"--profile", true},
    {"--set", true},
    {"--max-object", true},
    {"--bare-root"},
    {"--function-idle", true},
});

Error Bad(std::string_view option, std::string_view value) {
  return {Code::kInvalid, std::string(option) + " can't be '" + std::string(value) + "'"};
}

Result<uint64_t> ReadNumber(const ParsedArguments& parsed, std::string_view option,
                            uint64_t otherwise, uint64_t max) {
  if (!parsed.Has(option)) return otherwise;
  const std::string text = parsed.Value(option);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > max) {
    return Bad(option, text);
  }
  return value;
}

// The last profile, then the file, then what was set on the command line.
Result<ModelSettings> ReadModel(const ParsedArguments& parsed) {
  std::string text;
  if (parsed.Has("--model")) {
    ASSIGN_OR_RETURN(text, ReadFile(parsed.Value("--model"), kMaxFileBytes));
  }
  ModelSettings model;
  if (parsed.Has("--profile")) {
    ASSIGN_OR_RETURN(model, ModelSettings::Profile(parsed.Value("--profile")));
  }
  TRY(model.Apply(text));
  for (const auto& [name, value] : parsed.options) {
    if (name != "--set") continue;
    const size_t equals = value.find('=');
    if (equals == std::string::npos) return Bad("--set", value);
    TRY(model.Set(value.substr(0, equals), value.substr(equals + 1)));
  }
  return model;
}

// Each --access-key with the --secret-file after it.
Result<std::vector<signing::Keys>> ReadKeys(const ParsedArguments& parsed) {
  std::vector<signing::Keys> keys;
  std::string id;
  for (const auto& [name, value] : parsed.options) {
    if (name == "--access-key") {
      if (!id.empty()) return Bad("--access-key", id + "' without --secret-file");
      id = value;
    } else if (name == "--secret-file") {
      if (id.empty()) return Bad("--secret-file", value + "' without --access-key before it");
      ASSIGN_OR_RETURN(std::string secret, ReadFile(value, kMaxFileBytes));
      while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
      if (secret.empty()) return Error{Code::kInvalid, value + ": no secret in it"};
      keys.push_back({id, std::move(secret), ""});
      id.clear();
    }
  }
  if (!id.empty()) return Bad("--access-key", id + "' without --secret-file");
  return keys;
}

Result<EmulatorOptions> ReadOptions(const ParsedArguments& parsed) {
  EmulatorOptions options;
  ASSIGN_OR_RETURN(const uint64_t port, ReadNumber(parsed, "--port", kDefaultPort, 65535));
  options.port = static_cast<uint16_t>(port);
  ASSIGN_OR_RETURN(options.max_object_bytes,
                   ReadNumber(parsed, "--max-object", options.max_object_bytes, 5ull << 30));
  ASSIGN_OR_RETURN(const uint64_t expire_after_s, ReadNumber(parsed, "--expire-after", 0, 43'200));
  options.expire_after_s = static_cast<int64_t>(expire_after_s);
  if (parsed.Has("--listen")) options.address = parsed.Value("--listen");
  if (parsed.Has("--region")) options.region = parsed.Value("--region");
  options.certificate_file = parsed.Value("--cert");
  options.key_file = parsed.Value("--key");
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return Error{Code::kInvalid, "--cert and --key belong together"};
  }
  options.tls = parsed.Has("--tls") || parsed.Has("--cert");
  options.bare_root = parsed.Has("--bare-root");
  ASSIGN_OR_RETURN(const uint64_t idle_s, ReadNumber(parsed, "--function-idle", 300, 86'400));
  options.function_idle_ms = static_cast<int64_t>(idle_s) * 1000;
  ASSIGN_OR_RETURN(options.keys, ReadKeys(parsed));
  ASSIGN_OR_RETURN(options.model, ReadModel(parsed));
  options.dir = parsed.Value("--dir");
  if (options.dir.empty()) {
    ASSIGN_OR_RETURN(const std::string state_dir, client::StateDir());
    options.dir = state_dir + "/emulator";
  }
  TRY(MakeDirs(options.dir, 0700));
  ASSIGN_OR_RETURN(options.dir, RealPath(options.dir));
  return options;
}

// A connection is a descriptor or two, and shells give 1,024.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void PrintReady(const EmulatorOptions& options, const emulator::Emulator& emulator) {
  std::printf("llama emulator: S3 and Lambda at %s, region %s\n", emulator.endpoint().c_str(),
              options.region.c_str());
  std::printf("functions run in: %s\n", emulator.confinement().c_str());
  if (!emulator.ca_file().empty()) {
    std::printf("its certificate: %s\n", emulator.ca_file().c_str());
  }
  std::printf("to use it:\n  . %s\n", emulator.env_file().c_str());
  std::fflush(stdout);
  if (options.address != "127.0.0.1" && options.address != "::1") {
    PrintError("listening on " + options.address +
               ": whoever has the keys runs programs here, and the emulator is no security "
               "boundary");
  }
}

Result<void> Serve(const EmulatorOptions& options, const std::string& port_file) {
  // Before there are threads, so that the one below alone gets them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();

  ASSIGN_OR_RETURN(const std::unique_ptr<emulator::Emulator> emulator,
                   emulator::Emulator::Start(options, SystemClock()));
  if (!port_file.empty()) {
    TRY(WriteFileAtomic(port_file, std::to_string(emulator->port()) + "\n", 0644));
  }
  PrintReady(options, *emulator);
  std::thread waiter([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    emulator->Stop();
  });
  emulator->Run();
  waiter.join();
  return {};
}

int Run(const Arguments& arguments) {
  const auto parsed = ParseArguments(arguments, kOptions);
  if (!parsed) return UsageError("emulator", parsed.error().message);
  if (!parsed->rest.empty()) return UsageError("emulator", "'emulator' takes options only");
  const Result<EmulatorOptions> options = ReadOptions(*parsed);
  if (!options) return UsageError("emulator", options.error().message);
  const Result<void> served = Serve(*options, parsed->Value("--port-file"));
  if (served) return kOk;
  PrintError(served.error().message);
  return kFailed;
}

}  // namespace

const Command kEmulatorCommand = {
    "emulator", "S3 and Lambda on this machine, as slow and faulty as you like",
    "usage: llama emulator [OPTION]...\n"
    "\n"
    "Serves S3's and Lambda's HTTP APIs over a folder and processes of this machine, for tests,\n"
    "demos and experiments. Signatures, hashes and limits are checked as AWS checks them, and\n"
    "latency, bandwidth and faults are as the model says. It runs until SIGINT or SIGTERM; source\n"
    "the file that it names to use it with llama, awscli or an SDK. It is no security boundary:\n"
    "whoever has its keys runs programs as you.\n"
    "\n"
    "  --port N           default 4566; 0: a free one\n"
    "  --port-file FILE   write the port there once it is ready\n"
    "  --listen ADDRESS   default 127.0.0.1\n"
    "  --dir DIR          what it keeps; default $LLAMA_DIR/emulator\n"
    "  --tls              HTTPS, with a certificate of its own: AWS_CA_BUNDLE names it\n"
    "  --cert FILE --key FILE\n"
    "                     HTTPS, with these (PEM)\n"
    "  --region REGION    default us-east-1\n"
    "  --access-key ID --secret-file FILE\n"
    "                     a key that may ask; may be repeated. Default: one is made in DIR\n"
    "  --expire-after S   hand out temporary keys that last S seconds\n"
    "  --profile NAME     none (default) or aws: latencies and limits like AWS's\n"
    "  --model FILE       latencies, bandwidth, faults, limits: see docs/emulator.md\n"
    "  --set KEY=VALUE    one of them; may be repeated\n"
    "  --max-object N     bytes of the largest body; default 512 MiB\n"
    "  --bare-root        functions see none of this machine's files\n"
    "  --function-idle S  end a function's environment when it was idle for S seconds; default "
    "300\n"
    "\n"
    "exit status: 0 after a signal, 1 if it can't serve, 2 for wrong options.\n"
    "\n"
    "examples:\n"
    "  llama emulator --tls --profile aws\n"
    "  llama emulator --port 0 --port-file port --set s3.get.latency='lognormal 20ms 0.4' \\\n"
    "    --set error.any=5%\n"
    "  . ~/.local/state/llama/emulator/env && aws s3 ls\n",
    Run};

}  // namespace llama::app
