// One gzip member of some bytes, for HTTP's Content-Encoding.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace llama::exports {

Result<std::string> Gzip(std::string_view bytes);

}  // namespace llama::exports
