#include "session/environment.h"

#include <gtest/gtest.h>

namespace llama::session {
namespace {

TEST(Environment, SendsWhatChangesACompile) {
  for (const char* name : {"PATH",
                           "PWD",
                           "HOME",
                           "TMPDIR",
                           "LANG",
                           "LANGUAGE",
                           "LC_ALL",
                           "LC_MESSAGES",
                           "TZ",
                           "TERM",
                           "COLUMNS",
                           "GCC_COLORS",
                           "GCC_EXEC_PREFIX",
                           "COMPILER_PATH",
                           "CPATH",
                           "C_INCLUDE_PATH",
                           "CPLUS_INCLUDE_PATH",
                           "OBJC_INCLUDE_PATH",
                           "LIBRARY_PATH",
                           "DEPENDENCIES_OUTPUT",
                           "SUNPRO_DEPENDENCIES",
                           "SOURCE_DATE_EPOCH",
                           "CCC_OVERRIDE_OPTIONS",
                           "CLANG_CONFIG_FILE",
                           "SDKROOT",
                           "NO_COLOR",
                           "CLICOLOR",
                           "CLICOLOR_FORCE",
                           "LLAMA_DIR",
                           "LLAMACC_BUILD_ID",
                           "TRACEPARENT",
                           "MAKELEVEL",
                           "LD_LIBRARY_PATH",
                           "LD_PRELOAD"}) {
    EXPECT_TRUE(IsRelevantVariable(name)) << name;
  }
}

TEST(Environment, KeepsTheRestToItself) {
  for (const char* name : {"", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "USER", "MAKEFLAGS", "P",
                           "PATHS", "LC", "GCC", "path", "EDITOR"}) {
    EXPECT_FALSE(IsRelevantVariable(name)) << name;
  }
}

TEST(Environment, PicksByNameAndKeepsValues) {
  const char* const environment[] = {"PATH=/bin:/usr/bin", "USER=me", "LANG=", "broken",
                                     "SECRET=PATH=x",      "=odd",    nullptr};
  const std::vector<std::string> expected = {"PATH=/bin:/usr/bin", "LANG="};
  EXPECT_EQ(RelevantEnvironment(environment), expected);
  EXPECT_TRUE(RelevantEnvironment(nullptr).empty());
}

TEST(Environment, FindsAVariable) {
  const std::vector<std::string> env = {"AB=1", "A=x=y", "C="};
  EXPECT_STREQ(FindVariable(env, "A"), "x=y");
  EXPECT_STREQ(FindVariable(env, "C"), "");
  EXPECT_EQ(FindVariable(env, "B"), nullptr);
  EXPECT_EQ(FindVariable(env, "AB=1"), nullptr);
}

}  // namespace
}  // namespace llama::session
