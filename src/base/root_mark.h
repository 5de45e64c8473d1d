// The byte that stands for the root of a worker's tree in the words of a command: in
// "\0/usr/bin/gcc" the worker puts its own root in place of it. It can't occur in a real argument
// or path.
#pragma once

namespace llama {

inline constexpr char kRootMark = '\0';

}  // namespace llama
