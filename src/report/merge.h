// Several builds as one table. Each was read by itself: a span has its parent in its own build.
#pragma once

#include <memory>
#include <vector>

#include "report/table.h"

namespace llama::report {

// The rows of all, one after the other. Values of fields stay where they are until asked for.
std::unique_ptr<Table> Concatenate(std::vector<std::unique_ptr<Table>> parts);

}  // namespace llama::report
