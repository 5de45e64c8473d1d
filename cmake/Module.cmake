# llama_module(NAME DEPS module... LIBS target...)
#
# Makes the library llama_NAME of every *.cc in the folder, and NAME_test of every *_test.cc, linked
# with that library alone: a module that uses what it does not declare does not link its test.
# `scan`'s arrows are declared once more in tools/layering.py, which checks the #include lines.
find_package(GTest REQUIRED)
find_package(benchmark QUIET)

function(llama_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS;TEST_LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")

  if(sources)
    add_library(llama_${name} STATIC ${sources})
    target_include_directories(llama_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    set(scope PUBLIC)
  else()
    add_library(llama_${name} INTERFACE)
    target_include_directories(llama_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    set(scope INTERFACE)
  endif()
  foreach(dep ${ARG_DEPS})
    target_link_libraries(llama_${name} ${scope} llama_${dep})
  endforeach()
  target_link_libraries(llama_${name} ${scope} ${ARG_LIBS} Threads::Threads)

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE llama_${name} ${ARG_TEST_LIBS} GTest::gtest
                                               GTest::gtest_main)
    # Optimising GoogleTest's templates would be half of a release build's time.
    target_compile_options(${name}_test PRIVATE -O0)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
  endif()
  if(benches AND benchmark_FOUND)
    add_executable(${name}_bench EXCLUDE_FROM_ALL ${benches})
    target_link_libraries(${name}_bench PRIVATE llama_${name} benchmark::benchmark_main)
  endif()
endfunction()
