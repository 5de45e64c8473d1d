// What a command went through in the view that it had, beyond its action's closure.
//
// Layers hold more than the jobs ask for: headers beside others, and what is gone here since. What
// a command found there may be nothing that is here, and the way to it as well: a link that leads
// elsewhere by now, a folder that was removed. So each path that was found is resolved as the view
// had it, and every step that the closure does not decide is told, for execute/check.h to compare.
#pragma once

#include <string>
#include <vector>

#include "execute/action.h"
#include "tree/layer.h"
#include "tree/layer_index.h"

namespace llama::execute {

// By canonical path of the view: files, links and folders on the ways to `found` of which the
// closure says nothing. kAbsent: what it was is not certain. A path of which nobody knows is left
// out, with all that lies behind it: the command made it.
tree::Manifest ShownBeyond(const Action& action, const std::vector<tree::LayerRef>& layers,
                           const tree::LayerIndex& index, const std::vector<std::string>& found);

}  // namespace llama::execute
