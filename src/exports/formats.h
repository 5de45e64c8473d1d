// What writes each format into a stream. docs/viewers.md says what reads it.
#pragma once

#include "exports/format.h"

namespace llama::exports {

// Chrome's Trace Event Format:
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
ExportCounts WriteChrome(const Selection& selection, const ExportOptions& options, Output& out);

}  // namespace llama::exports
