# The language level, warnings and sanitizers of every target of ours.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# -O3 costs a third more to build than -O2, and no hot path of ours is a loop that it would unroll.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")

add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>)
# gcc sees overlaps (12: bug 105329) and, where the header was precompiled, overruns (12 to 14 at
# least: bug 105651) in std::string's operator+ that are not there. `-D LLAMA_PCH=OFF` has them all.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND
   (LLAMA_PCH OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13))
  add_compile_options(
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict> $<$<COMPILE_LANGUAGE:CXX>:-Wno-array-bounds>
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-stringop-overflow> $<$<COMPILE_LANGUAGE:CXX>:-Wno-stringop-overread>)
endif()
if(LLAMA_WERROR)
  add_compile_options(-Werror)
endif()
# Sections per function, so that the static programs carry only what they use.
add_compile_options(-ffunction-sections -fdata-sections)
if(LLAMA_SANITIZE)
  add_compile_options(-fsanitize=${LLAMA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LLAMA_SANITIZE})
endif()
