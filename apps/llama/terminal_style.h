// How a text looks best where a descriptor leads.
#pragma once

#include "base/text/text_writer.h"

namespace llama::app {

// Colours on a terminal that has not been told otherwise (https://no-color.org), and as wide as it
// is, or as COLUMNS says; else plain, and kTextColumns wide.
TextStyle StyleOf(int fd);

}  // namespace llama::app
