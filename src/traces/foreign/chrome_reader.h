// Chrome's Trace Event Format as spans: complete events ("X"), begin and end ("B", "E"; "b", "e" by
// their id). Names of processes and threads become fields; counters, marks, flows and the like are
// left out.
//
// What llama exported is as it was: its events carry their ids. Of others each track (process and
// thread, or what is asynchronous by one id) is a trace, in which an event is below the one that
// encloses it; such a document may have so many events. One that is cut off, or an array without
// its end, which the format allows, has the events that are whole.
#pragma once

#include <cstddef>
#include <string_view>

#include "traces/foreign/span_sink.h"

namespace llama::traces {

// An event has 18 bytes at least, and its span some 250 in memory.
inline constexpr size_t kMaxChromeEvents = 5'000'000;

void ReadChrome(std::string_view document, SpanSink& out, size_t max_events = kMaxChromeEvents);

}  // namespace llama::traces
