// Depfiles of a worker: taking its root off them must change the names below it and no others. If
// an input's first byte is odd, clang wrote it.
#include "base/fuzz.h"
#include "compiler/plan.h"

namespace llama::compiler {
namespace {

constexpr std::string_view kRoot = "/tmp/r";

std::string WithoutRoot(const std::string& name) {
  return name.starts_with(std::string(kRoot) + "/") ? name.substr(kRoot.size()) : name;
}

}  // namespace

FUZZ_TARGET(rule) {
  const Family family = TakeByte(rule) % 2 != 0 ? Family::kClang : Family::kGcc;
  const auto names = ParseDepfile(rule);
  const auto mapped = MapDepfile(rule, kRoot, family);
  (void)MapText(rule, kRoot);
  if (!mapped) return;
  CHECK(mapped->size() <= 4 * rule.size() + 16);
  if (rule.find(kRoot) == rule.npos) CHECK(*mapped == rule);
  if (!names) return;
  const auto again = ParseDepfile(*mapped);
  CHECK(again.has_value() && again->size() == names->size());
  for (size_t i = 0; i < names->size(); ++i) CHECK((*again)[i] == WithoutRoot((*names)[i]));
}

}  // namespace llama::compiler
