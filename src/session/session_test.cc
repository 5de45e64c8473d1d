#include "session/session.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "base/fd.h"

namespace llama::session {
namespace {

struct Pair {
  Fd ours;
  Fd theirs;
};

Pair SocketPair() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  return {Fd(fds[0]), Fd(fds[1])};
}

Compile SampleCompile() {
  Compile m;
  m.start_ns = 1;
  m.start_monotonic_ns = -2;
  m.compiler = "/usr/bin/gcc";
  m.argv = {"gcc", "-c", std::string("a\0b", 3), ""};
  m.env = {"PATH=/bin"};
  m.cwd = "/tmp/with space";
  m.umask = 077;
  m.group = 20;
  m.streams[0].kind = StreamKind::kClosed;
  m.streams[2] = {StreamKind::kTerminal, 80, 24};
  m.file_namespace = {7, {8, 9}};
  m.pid = 4'000'000'000;
  return m;
}

Status SampleStatus() {
  Status m;
  m.pid = 7;
  m.build_id = "b";
  m.workers = -1;
  m.local_slots = 2;
  m.layers = 11;
  m.counters.store_requests = 1;
  m.counters.local_waiting = UINT64_MAX;
  m.counters.cost_usd = 0.25;
  m.backend = "embedded";
  m.outage = "no network";
  return m;
}

TEST(Session, CompileSurvivesTheWire) {
  const Compile sent = SampleCompile();
  const Result<Compile> got = DecodeCompile(Encode(sent));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->start_ns, sent.start_ns);
  EXPECT_EQ(got->start_monotonic_ns, sent.start_monotonic_ns);
  EXPECT_EQ(got->compiler, sent.compiler);
  EXPECT_EQ(got->argv, sent.argv);
  EXPECT_EQ(got->env, sent.env);
  EXPECT_EQ(got->cwd, sent.cwd);
  EXPECT_EQ(got->umask, sent.umask);
  EXPECT_EQ(got->group, sent.group);
  EXPECT_EQ(got->streams, sent.streams);
  EXPECT_EQ(got->file_namespace, sent.file_namespace);
  EXPECT_EQ(got->pid, sent.pid);
}

TEST(Session, StatusSurvivesTheWire) {
  const Status sent = SampleStatus();
  const Result<Status> got = DecodeStatus(Encode(sent));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->pid, 7u);
  EXPECT_EQ(got->build_id, "b");
  EXPECT_EQ(got->workers, -1);
  EXPECT_EQ(got->local_slots, 2);
  EXPECT_EQ(got->layers, 11u);
  EXPECT_EQ(got->counters.local_waiting, UINT64_MAX);
  EXPECT_EQ(got->counters.store_requests, 1u);
  EXPECT_EQ(got->counters.cost_usd, 0.25);
  EXPECT_EQ(got->backend, "embedded");
  EXPECT_EQ(got->outage, "no network");
}

TEST(Session, BuildsSurviveTheWire) {
  const trace::Context root{{1, 2}, 3};
  BeginBuild audited{"id", "name", 9, root};
  audited.audit_share = 0.25;
  EXPECT_EQ(DecodeBeginBuild(Encode(audited))->audit_share, 0.25);
  audited.audit_share = 1.5;
  EXPECT_FALSE(DecodeBeginBuild(Encode(audited)));
  const Result<BeginBuild> begin = DecodeBeginBuild(Encode(BeginBuild{"id", "name", 9, root}));
  ASSERT_TRUE(begin);
  EXPECT_EQ(begin->id, "id");
  EXPECT_EQ(begin->name, "name");
  EXPECT_EQ(begin->start_ns, 9);
  EXPECT_EQ(begin->root, root);
  BeginBuild named{"id", "name", 9, root};
  named.span = trace::StartSpan("build", {}, 5);
  named.span.Set("jobs", trace::Value(int64_t{4}));
  EXPECT_EQ(DecodeBeginBuild(Encode(named))->span.fields, named.span.fields);

  EndBuild end{"id", trace::StartSpan("build", {}, 5)};
  end.root.Set("jobs", trace::Value(int64_t{4}));
  const Result<EndBuild> got = DecodeEndBuild(Encode(end));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->root.name, "build");
  EXPECT_EQ(got->root.fields, end.root.fields);
}

TEST(Session, SmallMessagesSurviveTheWire) {
  const Result<CompileResult> result = DecodeCompileResult(Encode(CompileResult{256, "o", "e"}));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 256);
  EXPECT_EQ(result->out, "o");
  EXPECT_EQ(result->err, "e");
  EXPECT_EQ(DecodeRunLocally(Encode(RunLocally{"link"}))->reason, "link");
  EXPECT_EQ(DecodeDone(Encode(Done{1, 2, 3}))->system_ns, 3);
  EXPECT_EQ(DecodeAck(Encode(Ack{"no"}))->error, "no");
  EXPECT_EQ(DecodeStatusRequest(Encode(StatusRequest{"x"}))->build_id, "x");
}

// Versions find out about each other by these, so they may grow.
TEST(Session, GreetingsOfLaterVersionsAreUnderstood) {
  EXPECT_EQ(DecodeHello(Encode(Hello{7, "id"}) + "more")->version, 7u);
  EXPECT_EQ(DecodeWelcome(Encode(Welcome{"id", 3}) + "more")->pid, 3u);
  EXPECT_TRUE(DecodeRefuse(Encode(Refuse{true, "id"}) + "more")->busy);
}

TEST(Session, EveryTruncationIsRefused) {
  struct Case {
    const char* name;
    std::string body;
    std::function<bool(std::string_view)> decodes;
  };
  const Case cases[] = {
      {"hello", Encode(Hello{1, "build"}), [](auto b) { return DecodeHello(b).has_value(); }},
      {"compile", Encode(SampleCompile()), [](auto b) { return DecodeCompile(b).has_value(); }},
      {"result", Encode(CompileResult{1, "out", "err"}),
       [](auto b) { return DecodeCompileResult(b).has_value(); }},
      {"run locally", Encode(RunLocally{"why"}),
       [](auto b) { return DecodeRunLocally(b).has_value(); }},
      {"done", Encode(Done{1, 2, 3}), [](auto b) { return DecodeDone(b).has_value(); }},
      {"status", Encode(SampleStatus()), [](auto b) { return DecodeStatus(b).has_value(); }},
      {"begin", Encode(BeginBuild{"id", "name", 9, {{1, 2}, 3}}),
       [](auto b) { return DecodeBeginBuild(b).has_value(); }},
      {"end", Encode(EndBuild{"id", trace::StartSpan("b", {}, 5)}),
       [](auto b) { return DecodeEndBuild(b).has_value(); }},
  };
  for (const Case& c : cases) {
    EXPECT_TRUE(c.decodes(c.body)) << c.name;
    for (size_t size = 0; size < c.body.size(); ++size) {
      EXPECT_FALSE(c.decodes(std::string_view(c.body).substr(0, size))) << c.name << " " << size;
    }
  }
}

TEST(Session, RefusesWhatNoWrapperSends) {
  EXPECT_FALSE(DecodeCompile(Encode(Compile{})));  // not even argv[0]
  Compile m = SampleCompile();
  m.umask = 0x10000;
  EXPECT_FALSE(DecodeCompile(Encode(m)));
  EXPECT_FALSE(DecodeCompile(Encode(SampleCompile()) + "x"));
  // A count that no input of this size can hold.
  Encoder out;
  out.Int(0);
  out.Int(0);
  out.Bytes("cc");
  out.Uint(uint64_t{1} << 62);
  EXPECT_FALSE(DecodeCompile(out.str()));
}

TEST(Frames, ArriveWhole) {
  Pair pair = SocketPair();
  // More than a socket buffers, so that both sides see partial transfers.
  const std::string body(5 << 20, 'x');
  std::thread sender([&] {
    EXPECT_TRUE(SendFrame(pair.theirs.get(), FrameType::kKeepAlive, "", 10'000));
    EXPECT_TRUE(SendFrame(pair.theirs.get(), FrameType::kResult, body, 10'000));
    pair.theirs.Reset();
  });
  const Result<Frame> first = ReceiveFrame(pair.ours.get(), 10'000);
  const Result<Frame> second = ReceiveFrame(pair.ours.get(), 10'000);
  const Result<Frame> end = ReceiveFrame(pair.ours.get(), 10'000);
  sender.join();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->type, FrameType::kKeepAlive);
  EXPECT_EQ(first->body, "");
  EXPECT_EQ(second->type, FrameType::kResult);
  EXPECT_EQ(second->body, body);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Code::kNotFound);
}

TEST(Frames, MalformedOnesAreErrors) {
  const std::string whole = EncodeFrame(FrameType::kResult, "body");
  struct Case {
    const char* name;
    std::string bytes;
    Code code;
  };
  const Case cases[] = {
      {"nothing", "", Code::kNotFound},
      {"half a length", whole.substr(0, 2), Code::kInvalid},
      {"no type", whole.substr(0, 4), Code::kInvalid},
      {"no body", whole.substr(0, 5), Code::kInvalid},
      {"half a body", whole.substr(0, 7), Code::kInvalid},
      {"length 0", std::string(4, '\0') + "x", Code::kInvalid},
      {"length above the limit", std::string(4, '\xff') + "x", Code::kInvalid},
  };
  for (const Case& c : cases) {
    Pair pair = SocketPair();
    ASSERT_EQ(write(pair.theirs.get(), c.bytes.data(), c.bytes.size()),
              static_cast<ssize_t>(c.bytes.size()));
    pair.theirs.Reset();
    const Result<Frame> frame = ReceiveFrame(pair.ours.get(), 1000);
    ASSERT_FALSE(frame) << c.name;
    EXPECT_EQ(frame.error().code, c.code) << c.name << ": " << frame.error().message;
  }
}

TEST(Frames, SilenceEndsAtTheDeadline) {
  Pair pair = SocketPair();
  const Result<Frame> frame = ReceiveFrame(pair.ours.get(), 10);
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, Code::kDeadline);
  // Nobody reads: the socket's buffer fills.
  const Result<void> sent =
      SendFrame(pair.ours.get(), FrameType::kResult, std::string(8 << 20, 'x'), 10);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::kDeadline);
}

TEST(Frames, AHangUpDoesNotKillTheSender) {
  Pair pair = SocketPair();
  pair.theirs.Reset();
  EXPECT_FALSE(SendFrame(pair.ours.get(), FrameType::kDone, "x", 1000));
}

TEST(Frames, AreTakenOffABufferOneByOne) {
  const std::string two =
      EncodeFrame(FrameType::kHello, "one") + EncodeFrame(FrameType::kCompile, "");
  std::string buffer;
  std::vector<std::pair<FrameType, std::string>> taken;
  for (const char c : two) {
    buffer.push_back(c);
    const Result<std::optional<Frame>> frame = TakeFrame(buffer, 100);
    ASSERT_TRUE(frame);
    if (*frame) taken.emplace_back((*frame)->type, (*frame)->body);
  }
  const std::vector<std::pair<FrameType, std::string>> expected = {{FrameType::kHello, "one"},
                                                                   {FrameType::kCompile, ""}};
  EXPECT_EQ(taken, expected);
  EXPECT_EQ(buffer, "");

  std::string too_long = EncodeFrame(FrameType::kHello, std::string(100, 'x')).substr(0, 4);
  EXPECT_FALSE(TakeFrame(too_long, 100));
  std::string empty(4, '\0');
  EXPECT_FALSE(TakeFrame(empty, 100));
}

}  // namespace
}  // namespace llama::session
