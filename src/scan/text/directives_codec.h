// Directives as bytes (docs/wire_format.md, "Directives cache file"). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "scan/text/directives.h"

namespace llama::scan {

std::string EncodeDirectives(const Directives& directives);
// Nothing: these are no directives' bytes, whole.
std::optional<Directives> DecodeDirectives(std::string_view bytes);

}  // namespace llama::scan
