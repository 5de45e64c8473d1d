// What the tests of this module share: a state folder whose daemon is this very test program
// (main_test.cc), told to end with the test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>

#include "base/file.h"
#include "client/connection.h"

namespace llama::client {

// Tells the fake daemon which build it is of.
inline constexpr char kFakeBuildVariable[] = "FAKE_DAEMON_BUILD";

class ClientTestWorld : public testing::Test {
 protected:
  void SetUp() override {
    Result<TempDir> dir = TempDir::Create();
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    setenv(kFakeBuildVariable, "this", 1);
  }

  // A wrapper of a build that nobody is of makes an idle daemon end.
  void TearDown() override {
    unlink((StateFolder() + "/busy").c_str());
    ConnectOptions options = Options("nobody");
    options.start = false;
    options.retry_failed = true;
    EXPECT_FALSE(Connect(options));
  }

  std::string StateFolder() const { return dir_->path() + "/state"; }
  ConnectOptions Options(const std::string& build_id = "this") const {
    ConnectOptions options;
    options.state_dir = StateFolder();
    options.build_id = build_id;
    options.daemon_program = "/proc/self/exe";
    return options;
  }
  std::string Contents(const std::string& name) const {
    const Result<std::string> bytes = ReadFile(dir_->path() + "/" + name);
    return bytes ? *bytes : "";
  }
  long Starts() const {
    const std::string lines = Contents("state/starts");
    return std::count(lines.begin(), lines.end(), '\n');
  }

  std::optional<TempDir> dir_;
};

}  // namespace llama::client
