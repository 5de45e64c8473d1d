// How the wrapper was called, and which compiler that means.
//
//   llamacc -c a.c            $LLAMACC_LOCAL_CC or cc (llamac++: $LLAMACC_LOCAL_CXX or c++)
//   llamacc g++ -c a.cc       that program: CMake's launcher, Meson's prefix
//   llamacc ccache g++ ...    ccache itself (RunWrapper does that), with llamacc as its prefix
//   llamacc llamac++ -c a.cc  as llamac++: a launcher's compiler may be ourselves
//   gcc -c a.c                by a link ahead in PATH: the next gcc in PATH that is not ourselves
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llama::client {

struct Invocation {
  std::string program;            // absolute path of the compiler (symlinks not resolved)
  std::vector<std::string> argv;  // argv[0] as the compiler is to see it
  std::string path;  // PATH without the folders in which the compiler's name means ourselves
};

// What the outside says; a test makes its own.
struct Surroundings {
  const char* path = nullptr;       // $PATH; nullptr if unset
  const char* local_cc = nullptr;   // $LLAMACC_LOCAL_CC
  const char* local_cxx = nullptr;  // $LLAMACC_LOCAL_CXX
  std::string self = "/proc/self/exe";
  std::string cwd;         // absolute
  std::string masquerade;  // the folder of our links, whether it is there or not
};

// kNotFound, with the name in the message as a shell has it, if there is no such compiler.
Result<Invocation> ResolveInvocation(const std::vector<std::string>& argv,
                                     const Surroundings& surroundings);

// gcc, g++, cc, c++, clang, clang++, c89, c99, with a target before and a version after:
// x86_64-linux-gnu-g++-12, clang-14, gcc-4.9.
bool LooksLikeCompiler(std::string_view name);

// llamacc, llamac++.
bool IsWrapper(std::string_view name);

// The folders of a PATH, in order; an empty one is the working directory.
std::vector<std::string_view> SplitPath(std::string_view path);

}  // namespace llama::client
