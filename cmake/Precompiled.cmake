# llama_precompiled(TARGET [LIGHT | TESTS]): lets the target begin with precompiled.h, compiled once
# for all: reading these headers is half of what a source of ours costs to compile. LIGHT is for what
# is compiled with -O1; TESTS are not optimised and read GoogleTest's headers as well. (gcc takes a
# precompiled header only with the very options that it was made with.)
if(LLAMA_PCH)
  # ccache passes on what it thinks it can't know of unless it is told that precompiled headers are
  # understood: ours name no file's time, and no source counts on __TIME__.
  foreach(language C CXX)
    if("${CMAKE_${language}_COMPILER_LAUNCHER}" MATCHES "(^|/)ccache$")
      set(CMAKE_${language}_COMPILER_LAUNCHER
          env CCACHE_SLOPPINESS=pch_defines,time_macros ${CMAKE_${language}_COMPILER_LAUNCHER})
    endif()
  endforeach()

  foreach(kind programs light tests)
    set(source ${CMAKE_BINARY_DIR}/precompiled/${kind}.cc)
    file(CONFIGURE OUTPUT ${source} CONTENT "")
    add_library(precompiled_${kind} OBJECT EXCLUDE_FROM_ALL ${source})
    target_link_libraries(precompiled_${kind} PRIVATE Threads::Threads)
    target_precompile_headers(precompiled_${kind} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.h)
    # gcc's answer to the preprocessor alone, which ccache asks for, is wrong without.
    target_compile_options(precompiled_${kind} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  endforeach()
  target_compile_options(precompiled_light PRIVATE -O1)
  target_precompile_headers(precompiled_tests PRIVATE <gtest/gtest.h>)
  target_link_libraries(precompiled_tests PRIVATE GTest::gtest)
  target_compile_options(precompiled_tests PRIVATE -O0)
endif()

function(llama_precompiled target)
  if(NOT LLAMA_PCH)
    return()
  endif()
  if(ARGN)
    string(TOLOWER ${ARGN} kind)
  else()
    set(kind programs)
  endif()
  target_precompile_headers(${target} REUSE_FROM precompiled_${kind})
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endfunction()
