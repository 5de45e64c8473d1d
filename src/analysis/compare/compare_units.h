// The units of two sides joined by their names.
#pragma once

#include "analysis/compare/compare.h"

namespace llama::analysis {

UnitsDifference CompareUnits(const Side& a, const Side& b);

}  // namespace llama::analysis
