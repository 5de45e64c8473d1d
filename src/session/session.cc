// The encodings of the session's messages: fields in the order of their declaration.
#include "session/session.h"

#include "base/codec.h"

namespace llama::session {
namespace {

constexpr int64_t kMaxColdStartMs = 3'600'000;

void PutCounters(Encoder& out, const Counters& c) {
  for (const uint64_t value : {c.remote_done, c.local_done, c.remote_running, c.local_running,
                               c.local_waiting, c.cold_starts, c.retries, c.bytes_up, c.bytes_down,
                               c.store_requests, c.replayed, c.unrecorded}) {
    out.Uint(value);
  }
  out.Double(c.cost_usd);
}

Counters GetCounters(Decoder& in) {
  Counters c;
  for (uint64_t* value : {&c.remote_done, &c.local_done, &c.remote_running, &c.local_running,
                          &c.local_waiting, &c.cold_starts, &c.retries, &c.bytes_up, &c.bytes_down,
                          &c.store_requests, &c.replayed, &c.unrecorded}) {
    *value = in.Uint();
  }
  c.cost_usd = in.Double();
  return c;
}

// `m` if all of the input was read and was well-formed.
template <typename T>
Result<T> Whole(const Decoder& in, T m, std::string_view name) {
  if (!in.Done()) return Error{Code::kInvalid, std::string(name) + ": malformed message"};
  return m;
}

// The same for a message that later versions may have lengthened.
template <typename T>
Result<T> Prefix(const Decoder& in, T m, std::string_view name) {
  if (!in.ok()) return Error{Code::kInvalid, std::string(name) + ": malformed message"};
  return m;
}

}  // namespace

std::string Encode(const Hello& m) {
  Encoder out;
  out.Uint(m.version);
  out.Bytes(m.build_id);
  return out.Take();
}

Result<Hello> DecodeHello(std::string_view body) {
  Decoder in(body);
  Hello m;
  m.version = in.Uint32();
  m.build_id = in.String();
  return Prefix(in, std::move(m), "hello");
}

std::string Encode(const Welcome& m) {
  Encoder out;
  out.Bytes(m.build_id);
  out.Uint(m.pid);
  return out.Take();
}

Result<Welcome> DecodeWelcome(std::string_view body) {
  Decoder in(body);
  Welcome m;
  m.build_id = in.String();
  m.pid = in.Uint32();
  return Prefix(in, std::move(m), "welcome");
}

std::string Encode(const Refuse& m) {
  Encoder out;
  out.Bool(m.busy);
  out.Bytes(m.build_id);
  return out.Take();
}

Result<Refuse> DecodeRefuse(std::string_view body) {
  Decoder in(body);
  Refuse m;
  m.busy = in.Bool();
  m.build_id = in.String();
  return Prefix(in, std::move(m), "refuse");
}

std::string Encode(const Ack& m) {
  Encoder out;
  out.Bytes(m.error);
  return out.Take();
}

Result<Ack> DecodeAck(std::string_view body) {
  Decoder in(body);
  Ack m;
  m.error = in.String();
  return Whole(in, std::move(m), "ack");
}

std::string Encode(const Compile& m) {
  Encoder out;
  out.Int(m.start_ns);
  out.Int(m.start_monotonic_ns);
  out.Bytes(m.compiler);
  out.Strings(m.argv);
  out.Strings(m.env);
  out.Bytes(m.cwd);
  out.Uint(m.umask);
  out.Uint(m.group);
  out.Uint(m.pid);
  for (const StandardStream& stream : m.streams) {
    out.Uint(static_cast<uint64_t>(stream.kind));
    out.Uint(stream.columns);
    out.Uint(stream.rows);
  }
  out.Uint(m.file_namespace.mounts);
  out.Uint(m.file_namespace.root.device);
  out.Uint(m.file_namespace.root.inode);
  return out.Take();
}

Result<Compile> DecodeCompile(std::string_view body) {
  Decoder in(body);
  Compile m;
  m.start_ns = in.Int();
  m.start_monotonic_ns = in.Int();
  m.compiler = in.String();
  m.argv = in.Strings();
  m.env = in.Strings();
  m.cwd = in.String();
  m.umask = in.Uint32();
  m.group = in.Uint32();
  m.pid = in.Uint32();
  for (StandardStream& stream : m.streams) {
    const uint64_t kind = in.Uint();
    if (kind > static_cast<uint64_t>(StreamKind::kTerminal)) in.Fail();
    stream.kind = static_cast<StreamKind>(kind);
    stream.columns = in.Uint32();
    stream.rows = in.Uint32();
  }
  m.file_namespace.mounts = in.Uint();
  m.file_namespace.root.device = in.Uint();
  m.file_namespace.root.inode = in.Uint();
  if (m.argv.empty() || m.umask > 07777) in.Fail();
  return Whole(in, std::move(m), "compile");
}

std::string Encode(const CompileResult& m) {
  Encoder out;
  out.Int(m.status);
  out.Bytes(m.out);
  out.Bytes(m.err);
  out.Strings(m.written);
  return out.Take();
}

Result<CompileResult> DecodeCompileResult(std::string_view body) {
  Decoder in(body);
  CompileResult m;
  m.status = in.Int32();
  m.out = in.String();
  m.err = in.String();
  m.written = in.Strings();
  return Whole(in, std::move(m), "result");
}

std::string Encode(const RunLocally& m) {
  Encoder out;
  out.Bytes(m.reason);
  return out.Take();
}

Result<RunLocally> DecodeRunLocally(std::string_view body) {
  Decoder in(body);
  RunLocally m;
  m.reason = in.String();
  return Whole(in, std::move(m), "run locally");
}

std::string Encode(const Done& m) {
  Encoder out;
  out.Int(m.end_monotonic_ns);
  out.Int(m.user_ns);
  out.Int(m.system_ns);
  return out.Take();
}

Result<Done> DecodeDone(std::string_view body) {
  Decoder in(body);
  Done m;
  m.end_monotonic_ns = in.Int();
  m.user_ns = in.Int();
  m.system_ns = in.Int();
  return Whole(in, m, "done");
}

std::string Encode(const BeginBuild& m) {
  Encoder out;
  out.Bytes(m.id);
  out.Bytes(m.name);
  out.Int(m.start_ns);
  trace::Encode(out, m.root);
  out.Bytes(m.record_dir);
  out.Bytes(m.replay_dir);
  out.Int(m.replay_workers);
  out.Double(m.replay_speed);
  out.Int(m.replay_cold_start_ms);
  out.Int(m.replay_uplink_bytes_per_s);
  out.Double(m.audit_share);
  trace::Encode(out, m.span);
  out.Int(m.pid);
  return out.Take();
}

Result<BeginBuild> DecodeBeginBuild(std::string_view body) {
  Decoder in(body);
  BeginBuild m;
  m.id = in.String();
  m.name = in.String();
  m.start_ns = in.Int();
  m.root = trace::DecodeContext(in);
  m.record_dir = in.String();
  m.replay_dir = in.String();
  m.replay_workers = in.Int32();
  m.replay_speed = in.Double();
  m.replay_cold_start_ms = in.Int();
  m.replay_uplink_bytes_per_s = in.Int();
  m.audit_share = in.Double();
  m.span = trace::DecodeSpan(in);
  m.pid = in.Int32();
  const bool is_sound = m.replay_workers > 0 && m.replay_speed >= 0 && m.replay_speed <= 1e6 &&
                        m.replay_cold_start_ms >= 0 && m.replay_cold_start_ms <= kMaxColdStartMs &&
                        m.replay_uplink_bytes_per_s >= 0 && m.audit_share >= 0 &&
                        m.audit_share <= 1;
  if (!is_sound) in.Fail();
  return Whole(in, std::move(m), "begin build");
}

std::string Encode(const EndBuild& m) {
  Encoder out;
  out.Bytes(m.id);
  trace::Encode(out, m.root);
  return out.Take();
}

Result<EndBuild> DecodeEndBuild(std::string_view body) {
  Decoder in(body);
  EndBuild m;
  m.id = in.String();
  m.root = trace::DecodeSpan(in);
  return Whole(in, std::move(m), "end build");
}

std::string Encode(const StatusRequest& m) {
  Encoder out;
  out.Bytes(m.build_id);
  return out.Take();
}

Result<StatusRequest> DecodeStatusRequest(std::string_view body) {
  Decoder in(body);
  StatusRequest m;
  m.build_id = in.String();
  return Whole(in, std::move(m), "status");
}

std::string Encode(const Status& m) {
  Encoder out;
  out.Uint(m.pid);
  out.Bytes(m.build_id);
  out.Int(m.start_ns);
  out.Uint(m.connections);
  out.Int(m.workers);
  out.Int(m.busy_workers);
  out.Int(m.local_slots);
  out.Uint(m.layers);
  PutCounters(out, m.counters);
  out.Bytes(m.backend);
  out.Bytes(m.outage);
  return out.Take();
}

Result<Status> DecodeStatus(std::string_view body) {
  Decoder in(body);
  Status m;
  m.pid = in.Uint32();
  m.build_id = in.String();
  m.start_ns = in.Int();
  m.connections = in.Uint();
  m.workers = in.Int32();
  m.busy_workers = in.Int32();
  m.local_slots = in.Int32();
  m.layers = in.Uint();
  m.counters = GetCounters(in);
  m.backend = in.String();
  m.outage = in.String();
  return Whole(in, std::move(m), "status reply");
}

}  // namespace llama::session
