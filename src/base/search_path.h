// Search paths: PATH and its like, folders with colons between them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llama {

// What execvp(3) searches when there is no PATH.
inline constexpr char kDefaultSearchPath[] = "/bin:/usr/bin";

// The folders, in order; an empty one is the working directory.
std::vector<std::string_view> SplitSearchPath(std::string_view path);

// Whether execve(2) would take it: a regular file that we may execute.
bool IsProgram(const std::string& path);

// The first program called `name` in the folders of `path`; empty: there is none. Folders that are
// relative to a working directory are taken below `cwd`, and passed over if that is empty.
std::string FindProgram(std::string_view name, std::string_view path, std::string_view cwd = {});

}  // namespace llama
