#include <gtest/gtest.h>

#include <random>

#include "session/session.h"

namespace llama::session {
namespace {

RunCommand SampleCommand() {
  RunCommand m;
  m.start_ns = 1;
  m.start_monotonic_ns = 2;
  m.build_id = "b";
  m.traceparent = "00-1";
  m.program = "/bin/sh";
  m.argv = {"sh", "-c", ""};
  m.env = {"PATH=/bin"};
  m.overrides = {"A=b\nc"};
  m.cwd = "/w";
  m.umask = 027;
  m.inputs = {{"/a", "/b", true}, {"/g", "/h", false}};
  m.outputs = {{"/c", "/d", true}, {"/e", "/f", false}};
  m.input = std::string("\0x", 2);
  m.timeout_ms = 5;
  m.function = "fn:1";
  m.pid = 9;
  return m;
}

TEST(SessionCommand, RunCommandSurvivesTheWire) {
  const RunCommand sent = SampleCommand();
  const auto got = DecodeRunCommand(Encode(sent));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(Encode(*got), Encode(sent));
  EXPECT_EQ(got->argv, sent.argv);
  EXPECT_EQ(got->overrides, sent.overrides);
  ASSERT_EQ(got->outputs.size(), 2u);
  EXPECT_EQ(got->outputs[0].remote, "/c");
  EXPECT_EQ(got->outputs[0].local, "/d");
  EXPECT_TRUE(got->outputs[0].is_tree);
  EXPECT_EQ(got->input, sent.input);
  EXPECT_EQ(got->function, "fn:1");
}

TEST(SessionCommand, RefusesWhatNoClientSends) {
  const auto refused = [](const auto& change) {
    RunCommand m = SampleCommand();
    change(m);
    return !DecodeRunCommand(Encode(m));
  };
  EXPECT_TRUE(refused([](RunCommand& m) { m.argv.clear(); }));
  EXPECT_TRUE(refused([](RunCommand& m) { m.program = "sh"; }));
  EXPECT_TRUE(refused([](RunCommand& m) { m.cwd = "w"; }));
  EXPECT_TRUE(refused([](RunCommand& m) { m.inputs[0].local = "a"; }));
  EXPECT_TRUE(refused([](RunCommand& m) { m.outputs[0].local = "../a"; }));
  EXPECT_TRUE(refused([](RunCommand& m) { m.umask = 010000; }));
  EXPECT_TRUE(refused([](RunCommand& m) { m.timeout_ms = -1; }));
  EXPECT_FALSE(refused([](RunCommand& m) {
    m.in_image = true;
    m.program = "ffmpeg";
  }));
  EXPECT_FALSE(DecodeRunCommand(Encode(SampleCommand()) + "x"));
}

TEST(SessionCommand, CommandResultSurvivesTheWire) {
  CommandResult sent;
  sent.error = "e";
  sent.timed_out = true;
  sent.status = 139;
  sent.out = "o";
  sent.err = "r";
  sent.output_error = "missing";
  sent.notes = {"n1", "n2"};
  sent.output_bytes = 3;
  sent.sent_bytes = 4;
  sent.wall_ns = 5;
  const auto got = DecodeCommandResult(Encode(sent));
  ASSERT_TRUE(got);
  EXPECT_EQ(Encode(*got), Encode(sent));
  EXPECT_EQ(got->notes, sent.notes);
  EXPECT_EQ(got->status, 139);
}

TEST(SessionCommand, SurvivesRandomDamage) {
  std::mt19937 random(1);
  const std::string whole = Encode(SampleCommand());
  for (int i = 0; i < 5000; ++i) {
    std::string damaged = whole;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    damaged.resize(damaged.size() - random() % 4);
    const auto decoded = DecodeRunCommand(damaged);
    if (decoded) {
      EXPECT_TRUE(decoded->cwd.starts_with('/'));
    }
  }
}

}  // namespace
}  // namespace llama::session
