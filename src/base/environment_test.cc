#include "base/environment.h"

#include <gtest/gtest.h>

namespace llama {
namespace {

TEST(Environment, IsFoundByTheWholeName) {
  const std::vector<std::string> env = {"PATHS=1", "PA", "PATH=/bin", "PATH=/late", "EMPTY="};
  EXPECT_STREQ(FindVariable(env, "PATH"), "/bin");
  EXPECT_STREQ(FindVariable(env, "EMPTY"), "");
  EXPECT_EQ(FindVariable(env, "PA"), nullptr);
  EXPECT_EQ(FindVariable(env, ""), nullptr);
}

TEST(Environment, IsSetInItsPlaceOrAtTheEnd) {
  std::vector<std::string> env = {"A=1", "B=2"};
  SetVariable(env, "A", "3");
  SetVariable(env, "C", "");
  EXPECT_EQ(env, (std::vector<std::string>{"A=3", "B=2", "C="}));
}

}  // namespace
}  // namespace llama
