// ninja's log of dependencies, `.ninja_deps`: what compilers said that they had read (their
// depfiles, which ninja removes). It completes the graph that ninja prints, which has only what
// the build file names. Versions 3 and 4 are read, in this machine's byte order, as ninja writes
// them:
//
//   "# ninjadeps\n", version    then records, each behind its size (4 bytes):
//   path     its bytes, zeros up to a multiple of four, the complement of its number
//   inputs   (the size's high bit is set) the output's number, its time (4 bytes in version 3, 8 in
//            version 4), the inputs' numbers; a later record of the same output replaces it
#pragma once

#include <string_view>
#include <vector>

#include "analysis/graph/build_graph.h"

namespace llama::analysis {

// Adds to each step the inputs that another step makes, as far as `log` makes sense. `folder` as of
// ParseNinjaGraph.
void AddNinjaDeps(std::string_view log, std::string_view folder, std::vector<GraphStep>& steps);

}  // namespace llama::analysis
