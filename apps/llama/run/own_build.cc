#include "llama/run/own_build.h"

#include "builds/record.h"
#include "llama/command.h"
#include "trace/trace_file.h"

namespace llama::app {

OwnBuild::OwnBuild(std::string name, std::vector<std::string> command,
                   const client::ConnectOptions& connect, Surrounding& surrounding) {
  if (!surrounding.build_id.empty()) return;
  const auto begun = Begin({std::move(name), {}, std::move(command)}, connect, surrounding);
  if (!begun) PrintError(begun.error().message + "; not recorded");
}

Result<void> OwnBuild::Begin(const BuildRequest& request, const client::ConnectOptions& connect,
                             Surrounding& surrounding) {
  std::vector<std::string> env;
  if (!surrounding.traceparent.empty()) env.push_back("TRACEPARENT=" + surrounding.traceparent);
  ASSIGN_OR_RETURN(BuildSetup setup, PrepareBuild(request, connect.state_dir, env, clock_));
  setup_ = std::move(setup);
  const builds::BuildRecord& record = setup_->record;
  session::BeginBuild build{record.id, record.name, record.start_ns, setup_->root.context()};
  build.span = setup_->root;
  link_ = std::make_unique<DaemonLink>(connect, std::move(build), clock_);
  surrounding.build_id = record.id;
  surrounding.traceparent = trace::FormatTraceparent(setup_->root.context());
  return link_->Begin();
}

void OwnBuild::Tick() {
  if (link_) link_->Tick(false);
}

void OwnBuild::End(int exit_status) {
  if (!setup_) return;
  if (const auto done = FinishBuild(*setup_, exit_status, clock_); !done) {
    PrintError(done.error().message);
  }
  if (const auto ended = EndTrace(); !ended) PrintError(ended.error().message);
}

// The daemon writes the root span behind all others; without one it is written here.
Result<void> OwnBuild::EndTrace() {
  if (link_ && link_->End({setup_->record.id, setup_->root})) return {};
  ASSIGN_OR_RETURN(const auto writer, trace::TraceWriter::Open(builds::TracePath(setup_->dir)));
  writer->Add(setup_->root);
  return writer->Flush();
}

}  // namespace llama::app
