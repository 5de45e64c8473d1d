// The units of two sides joined by their names.
#pragma once

#include "report/compare.h"

namespace llama::report {

UnitsDifference CompareUnits(const Side& a, const Side& b);

}  // namespace llama::report
