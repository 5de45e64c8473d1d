# llama_room(ROOM USES room... LIBS target... TEST_USES room... TEST_LIBS target...)
#
# A room is the folder of that name below the caller's. Makes the library llama_ROOM ("/" becomes
# "_") of its *.cc, and ROOM_test of every *_test.cc, linked with that library alone: a room that
# uses what it does not declare does not link its test. The arrows are those of src/CMakeLists.txt;
# tools/layering.py checks the #include lines against them. Those in LLAMA_LIGHT_ROOMS are compiled
# with less optimisation in a release build.
#
# Each thing_fuzz.cc (base/fuzz.h) becomes a program ROOM_thing_fuzz: of libFuzzer with LLAMA_FUZZ
# (clang; tools/fuzz.sh), otherwise a test that runs its corpus, tests/corpus/ROOM_thing, and
# altered seeds of it.
find_package(GTest REQUIRED)
find_package(benchmark QUIET)
include(Precompiled)
include(Together)
option(LLAMA_FUZZ "Fuzz targets are programs of libFuzzer's, LLAMA_SANITIZE instruments for it" OFF)
if(NOT LLAMA_FUZZ)
  add_library(llama_fuzz_replay OBJECT ${CMAKE_SOURCE_DIR}/tests/fuzz_replay.cc)
endif()
add_custom_target(fuzz_targets)

function(llama_room room)
  cmake_parse_arguments(ARG "" "" "USES;LIBS;TEST_USES;TEST_LIBS" ${ARGN})
  string(REPLACE "/" "_" name ${room})
  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/${room})
  if(room STREQUAL base)
    list(APPEND ARG_USES base/text)
  elseif(room STREQUAL trace)
    list(APPEND ARG_USES base)
  elseif(NOT room STREQUAL base/text)
    list(APPEND ARG_USES base trace)
  endif()
  list(TRANSFORM ARG_USES REPLACE "/" "_")
  list(TRANSFORM ARG_USES PREPEND llama_)
  list(TRANSFORM ARG_TEST_USES REPLACE "/" "_")
  list(TRANSFORM ARG_TEST_USES PREPEND llama_)

  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc)
  set(tests ${sources})
  set(benches ${sources})
  set(fuzzes ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER fuzzes INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")

  if(sources)
    add_library(llama_${name} STATIC ${sources})
    if(room IN_LIST LLAMA_LIGHT_ROOMS AND CMAKE_BUILD_TYPE STREQUAL "Release")
      target_compile_options(llama_${name} PRIVATE -O1)
      llama_precompiled(llama_${name} LIGHT)
    else()
      llama_precompiled(llama_${name})
    endif()
    llama_together(llama_${name})
    set(scope PUBLIC)
  else()
    add_library(llama_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(llama_${name} ${scope} ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(llama_${name} ${scope} ${ARG_USES} ${ARG_LIBS} Threads::Threads)

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE llama_${name} ${ARG_TEST_USES} ${ARG_TEST_LIBS}
                                               GTest::gtest GTest::gtest_main)
    # Optimising GoogleTest's templates would be half of a release build's time.
    target_compile_options(${name}_test PRIVATE -O0)
    llama_precompiled(${name}_test TESTS)
    llama_together(${name}_test)
    add_test(NAME ${name} COMMAND ${name}_test)
    # Under a sanitizer they take ten times as long.
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT $<IF:$<BOOL:${LLAMA_SANITIZE}>,1500,300>)
  endif()
  foreach(fuzz ${fuzzes})
    get_filename_component(thing ${fuzz} NAME_WE)
    llama_fuzz(${name}_${thing} ${fuzz} llama_${name} ${ARG_TEST_USES} ${ARG_TEST_LIBS})
  endforeach()
  if(benches AND benchmark_FOUND)
    add_executable(${name}_bench EXCLUDE_FROM_ALL ${benches})
    target_link_libraries(${name}_bench PRIVATE llama_${name} benchmark::benchmark_main)
  endif()
endfunction()

function(llama_fuzz program source)  # and libraries
  add_executable(${program} ${source})
  target_link_libraries(${program} PRIVATE ${ARGN})
  add_dependencies(fuzz_targets ${program})
  if(LLAMA_FUZZ)
    target_link_options(${program} PRIVATE -fsanitize=fuzzer)
    return()
  endif()
  target_link_libraries(${program} PRIVATE llama_fuzz_replay)
  target_compile_options(${program} PRIVATE -O0)
  string(REGEX REPLACE "_fuzz$" "" corpus ${program})
  add_test(NAME ${program} COMMAND ${program} ${CMAKE_SOURCE_DIR}/tests/corpus/${corpus})
  set_tests_properties(${program} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()
