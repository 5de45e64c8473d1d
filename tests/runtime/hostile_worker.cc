// A worker that lies, to have files of the client's machine sent to it. For tests/e2e: instead of
// running a job it does what the job's source says, a line a thing, after a first line "//
// hostile":
//
//   // found PATH      claims that the command found this there
//   // absent PATH     claims that it looked for this in vain
//   // forge N DIR     claims N names in DIR, each as found and as absent
//   // write NAME      returns a file of that name beside the object
//   // zeros N         prints N megabytes of zeros, which take no room on their way
//   // escape TEXT     fails, and says so with a terminal's escape sequence before TEXT
//
// On stdout it says "received PATH" of every file that came with a job, in it or in its layers.
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <set>
#include <sstream>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "job/job.h"
#include "tree/layer.h"
#include "worker/transport/deliveries.h"
#include "worker/transport/job_store.h"
#include "worker/transport/runtime_client.h"

namespace {

using llama::Result;

constexpr std::string_view kMark = "// hostile\n";

class NothingWanted final : public llama::tree::BlobSink {
 public:
  bool Wants(const llama::store::Digest&) override { return false; }
  Result<void> Put(const llama::store::Digest&, std::string_view) override { return {}; }
};

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void TellReceived(const llama::job::Job& job, llama::store::ObjectStore& store) {
  static std::set<std::string> told;
  const auto tell = [&](const std::string& path) {
    if (told.insert(path).second) std::cout << "received " << path << std::endl;
  };
  for (const llama::tree::InlineFile& file : job.view.files) tell(file.path);
  for (const llama::tree::LayerRef& layer : job.view.layers) {
    const auto bytes = store.Get(layer.key);
    if (!bytes) continue;
    NothingWanted sink;
    const auto manifest = llama::tree::ReadLayer(layer.key, *bytes, sink);
    if (!manifest) continue;
    for (const auto& [path, entry] : *manifest) tell(path);
  }
}

llama::job::Answer Lie(const llama::job::Job& job) {
  llama::job::Answer answer;
  answer.outcome = llama::job::Outcome::kRan;
  answer.root = "/w";
  answer.lookups_complete = true;
  if (!job.output_dirs.empty()) {
    answer.outputs = {{job.output_dirs.front() + "/a.o", 0644, "no object"}};
  }
  for (const llama::tree::InlineFile& file : job.view.files) {
    if (!file.bytes.starts_with(kMark)) continue;
    std::istringstream lines(file.bytes.substr(kMark.size()));
    std::string slashes;
    std::string verb;
    std::string what;
    while (lines >> slashes >> verb >> what && slashes == "//") {
      if (verb == "found") answer.found.push_back(what);
      if (verb == "absent") answer.absent.push_back(what);
      if (verb == "write") {
        answer.outputs.push_back({job.output_dirs.front() + "/" + what, 0644, "evil"});
      }
      if (verb == "zeros") answer.out.assign(std::stoul(what) << 20, '\0');
      if (verb == "escape") {
        answer.outcome = llama::job::Outcome::kFailed;
        answer.error = "\x1b[2J" + what;
      }
      if (verb != "forge") continue;
      std::string dir;
      lines >> dir;
      int count = 0;
      std::from_chars(what.data(), what.data() + what.size(), count);
      for (int i = 0; i < count; ++i) {
        answer.found.push_back(dir + "/" + std::to_string(i));
        answer.absent.push_back(dir + "/absent-" + std::to_string(i));
      }
    }
  }
  std::sort(answer.found.begin(), answer.found.end());
  std::sort(answer.absent.begin(), answer.absent.end());
  return answer;
}

}  // namespace

// As the local pool's launcher it is given the real worker, which it does not start.
int main() {
  namespace worker = llama::worker;
  auto client =
      worker::RuntimeClient::Connect(Variable("AWS_LAMBDA_RUNTIME_API"), llama::SystemClock());
  if (!client) return 1;
  const auto runtime = worker::NewRuntimeStore(**client);
  worker::JobStore store(*runtime);
  worker::FunctionFacts facts;
  facts.region = Variable("AWS_REGION");
  facts.fixed_store = Variable("LLAMA_STORE");
  facts.keys = {Variable("AWS_ACCESS_KEY_ID"), Variable("AWS_SECRET_ACCESS_KEY"),
                Variable("AWS_SESSION_TOKEN")};
  for (const char* name : {"SSL_CERT_FILE", "LLAMA_CA_FILE"}) {
    if (const std::string file = Variable(name); !file.empty()) facts.ca_files.push_back(file);
  }
  if (const Result<std::string> home = llama::ExecutableDir(); home) {
    facts.ca_files.push_back(*home + "/ca.pem");
  }
  worker::Deliveries deliveries(facts, *runtime, store, llama::SystemClock(), -1);
  while (true) {
    const auto job = (*client)->Next();
    if (!job) return 0;
    const Result<std::string> answer = deliveries.Answer(
        job->payload, {(*client)->max_answer_bytes(), 0},
        [&](std::string_view payload, uint64_t) -> Result<std::string> {
          ASSIGN_OR_RETURN(const llama::job::Job decoded, llama::job::DecodeJob(payload));
          TellReceived(decoded, store);
          return EncodeAnswer(Lie(decoded));
        });
    const Result<void> sent =
        answer ? (*client)->Respond(job->id, *answer) : (*client)->Fail(job->id, answer.error());
    if (!sent) return 0;
  }
}
