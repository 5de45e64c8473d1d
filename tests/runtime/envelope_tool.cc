// envelope_tool: makes and reads what Lambda's Invoke carries, for the scripts beside it.
//
//   envelope_tool job PROGRAM [WORD…]   prints an envelope with a job that runs PROGRAM WORD…
//   envelope_tool answer                reads an envelope from stdin, prints its answer as lines
//                                       "name value"
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "base/file.h"
#include "job/envelope.h"
#include "job/job.h"

namespace {

int Fail(const llama::Error& error) {
  std::cerr << "envelope_tool: " << error.message << "\n";
  return 1;
}

int PrintJob(const std::vector<std::string>& args) {
  llama::Result<std::string> program = llama::ReadFile(args[0]);
  if (!program) return Fail(program.error());
  llama::job::Job job;
  job.parent = {llama::trace::NewTraceId(), llama::trace::NewSpanId()};
  job.program = "/bin/probe";
  job.argv = {"probe"};
  job.argv.insert(job.argv.end(), args.begin() + 1, args.end());
  job.cwd = "/folder";
  job.output_dirs = {"/folder"};
  job.record_reads = false;
  llama::tree::InlineFile file;
  file.path = job.program;
  file.executable = true;
  file.bytes = *std::move(program);
  job.view.files.push_back(std::move(file));
  llama::job::Envelope envelope;
  envelope.bytes = llama::job::EncodeJob(job);
  std::cout << llama::job::EncodeEnvelope(envelope) << "\n";
  return 0;
}

void PrintSpan(const llama::trace::Span& span) {
  std::cout << "span " << span.name << " " << span.duration_ns << "\n";
  for (const auto& [name, value] : span.fields) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      std::cout << "field " << span.name << "." << name << " " << *text << "\n";
    }
  }
}

int PrintAnswer() {
  const std::string text((std::istreambuf_iterator<char>(std::cin)), {});
  const auto envelope = llama::job::DecodeEnvelope(text);
  if (!envelope) return Fail(envelope.error());
  const auto answer = llama::job::DecodeAnswer(envelope->bytes);
  if (!answer) return Fail(answer.error());
  std::cout << "outcome " << static_cast<int>(answer->outcome) << "\n"
            << "error " << answer->error << "\n"
            << "status " << answer->status << "\n"
            << "out " << answer->out << "cold_start " << answer->worker.cold_start << "\n"
            << "job_count " << answer->worker.job_count << "\n";
  for (const auto& output : answer->outputs) {
    std::cout << "output " << output.path << " " << output.bytes;
  }
  for (const auto& span : answer->spans) PrintSpan(span);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() >= 2 && args[0] == "job") return PrintJob({args.begin() + 1, args.end()});
  if (args.size() == 1 && args[0] == "answer") return PrintAnswer();
  std::cerr << "usage: envelope_tool job PROGRAM [WORD...] | answer\n";
  return 2;
}
