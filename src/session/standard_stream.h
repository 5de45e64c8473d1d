// What a compiler would find at one of its standard descriptors.
#pragma once

#include "session/session.h"

namespace llama::session {

// `was_closed`: when this process began.
StandardStream StreamAt(int fd, bool was_closed);

}  // namespace llama::session
