// Make rules of foreign text: each name is of the rule's own bytes.
#include "base/fuzz.h"
#include "compiler/plan.h"

namespace llama::compiler {

FUZZ_TARGET(rule) {
  const auto names = ParseDepfile(rule);
  (void)MapText(rule, "/tmp/r");
  if (!names) return;
  size_t size = 0;
  for (const std::string& name : *names) size += name.size();
  CHECK(size <= rule.size());
}

}  // namespace llama::compiler
