// Chrome's Trace Event Format as spans: complete events ("X"), begin and end ("B", "E"; "b", "e" by
// their id). Names of processes and threads become fields; counters, marks, flows and the like are
// left out.
//
// What llama exported is as it was: its events carry their ids. Of others each track (process and
// thread, or what is asynchronous by one id) is a trace, in which an event is below the one that
// encloses it. One that is cut off, or an array without
// its end, which the format allows, has the events that are whole.
#pragma once

#include <string_view>

#include "traces/foreign/span_sink.h"

namespace llama::traces {

void ReadChrome(std::string_view document, SpanSink& out);

}  // namespace llama::traces
