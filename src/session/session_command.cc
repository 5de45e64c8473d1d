// The encodings of the messages about commands of any kind: fields in the order of their
// declaration.
#include "base/codec.h"
#include "session/session.h"

namespace llama::session {
namespace {

constexpr uint32_t kMaxMode = 07777;

bool IsAbsolute(const std::string& path) { return path.starts_with('/'); }

void GetFiles(Decoder& in, RunCommand& m) {
  m.inputs.resize(in.Count(3, sizeof(CommandInput)));
  for (CommandInput& input : m.inputs) {
    input.local = in.String();
    input.remote = in.String();
    input.is_shared = in.Bool();
    if (!IsAbsolute(input.local) || !IsAbsolute(input.remote)) in.Fail();
  }
  m.outputs.resize(in.Count(3, sizeof(CommandOutput)));
  for (CommandOutput& output : m.outputs) {
    output.remote = in.String();
    output.local = in.String();
    output.is_tree = in.Bool();
    if (!IsAbsolute(output.local) || !IsAbsolute(output.remote)) in.Fail();
  }
}

}  // namespace

std::string Encode(const RunCommand& m) {
  Encoder out;
  out.Int(m.start_ns);
  out.Int(m.start_monotonic_ns);
  out.Bytes(m.build_id);
  out.Bytes(m.traceparent);
  out.Bytes(m.program);
  out.Strings(m.argv);
  out.Strings(m.env);
  out.Strings(m.overrides);
  out.Bytes(m.cwd);
  out.Uint(m.umask);
  out.Uint(m.inputs.size());
  for (const CommandInput& input : m.inputs) {
    out.Bytes(input.local);
    out.Bytes(input.remote);
    out.Bool(input.is_shared);
  }
  out.Uint(m.outputs.size());
  for (const CommandOutput& output : m.outputs) {
    out.Bytes(output.remote);
    out.Bytes(output.local);
    out.Bool(output.is_tree);
  }
  out.Bytes(m.input);
  out.Int(m.timeout_ms);
  out.Bool(m.in_image);
  out.Bytes(m.function);
  out.Uint(m.pid);
  return out.Take();
}

Result<RunCommand> DecodeRunCommand(std::string_view body) {
  Decoder in(body);
  RunCommand m;
  m.start_ns = in.Int();
  m.start_monotonic_ns = in.Int();
  m.build_id = in.String();
  m.traceparent = in.String();
  m.program = in.String();
  m.argv = in.Strings();
  m.env = in.Strings();
  m.overrides = in.Strings();
  m.cwd = in.String();
  m.umask = in.Uint32();
  GetFiles(in, m);
  m.input = in.String();
  m.timeout_ms = in.Int();
  m.in_image = in.Bool();
  m.function = in.String();
  m.pid = in.Uint32();
  const bool is_command = !m.argv.empty() && !m.program.empty() && IsAbsolute(m.cwd) &&
                          (m.in_image || IsAbsolute(m.program));
  if (!in.Done() || !is_command || m.umask > kMaxMode || m.timeout_ms < 0) {
    return Error{Code::kInvalid, "run command: malformed message"};
  }
  return m;
}

std::string Encode(const CommandResult& m) {
  Encoder out;
  out.Bytes(m.error);
  out.Bool(m.timed_out);
  out.Int(m.status);
  out.Bytes(m.out);
  out.Bytes(m.err);
  out.Bytes(m.output_error);
  out.Strings(m.notes);
  out.Uint(m.output_bytes);
  out.Uint(m.sent_bytes);
  out.Int(m.wall_ns);
  return out.Take();
}

Result<CommandResult> DecodeCommandResult(std::string_view body) {
  Decoder in(body);
  CommandResult m;
  m.error = in.String();
  m.timed_out = in.Bool();
  const int64_t status = in.Int();
  if (status < INT32_MIN || status > INT32_MAX) in.Fail();
  m.status = static_cast<int32_t>(status);
  m.out = in.String();
  m.err = in.String();
  m.output_error = in.String();
  m.notes = in.Strings();
  m.output_bytes = in.Uint();
  m.sent_bytes = in.Uint();
  m.wall_ns = in.Int();
  if (!in.Done()) return Error{Code::kInvalid, "command result: malformed message"};
  return m;
}

}  // namespace llama::session
