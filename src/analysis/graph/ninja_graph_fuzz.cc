// What build systems and compilers left behind: ninja's graph, its log of dependencies, depfiles,
// the graph that is kept of them. The first byte says which.
#include <unistd.h>

#include "analysis/graph/depfiles.h"
#include "analysis/graph/graph_file.h"
#include "analysis/graph/ninja_deps.h"
#include "analysis/graph/ninja_graph.h"
#include "base/file.h"
#include "base/fuzz.h"

namespace llama::analysis {
namespace {

void CheckSteps(const std::vector<GraphStep>& steps) {
  for (const GraphStep& step : steps) {
    CHECK(step.output.starts_with('/'));
    for (const std::string& input : step.inputs) CHECK(input.starts_with('/'));
  }
}

void ReadKeptGraph(std::string_view bytes) {
  static const TempDir dir = std::move(TempDir::Create("graph_fuzz")).value();
  CHECK(WriteFileAtomic(GraphPath(dir.path()), bytes, 0600).has_value());
  const std::vector<GraphStep> steps = ReadGraph(dir.path());
  CHECK(WriteGraph(dir.path(), steps).has_value());
  const std::vector<GraphStep> again = ReadGraph(dir.path());
  CHECK(again.size() == steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    CHECK(again[i].output == steps[i].output && again[i].inputs == steps[i].inputs);
  }
}

}  // namespace

FUZZ_TARGET(bytes) {
  switch (TakeByte(bytes) % 4) {
    case 0:
      CheckSteps(ParseNinjaGraph(bytes, "/b"));
      break;
    case 1: {
      std::vector<GraphStep> steps = {{"/b/a.o", {}}, {"/b/g.h", {}}};
      AddNinjaDeps(bytes, "/b", steps);
      CHECK(steps.size() == 2);
      CheckSteps(steps);
      break;
    }
    case 2: {
      size_t size = 0;
      for (const std::string& name : DepfileNames(bytes)) size += name.size();
      CHECK(size <= bytes.size());
      break;
    }
    default:
      ReadKeptGraph(bytes);
  }
}

}  // namespace llama::analysis
