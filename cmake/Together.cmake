# llama_together(TARGET): compiles the target's sources some at a time, each group as one source that
# includes them (CMake's unity build): the templates that a room's sources have in common, more than
# half of what each costs, are then made once a group. A name in an unnamed namespace must be the
# only one of its room; ./check has clang compile every source alone as well.
set(LLAMA_TOGETHER 6 CACHE STRING "How many sources of a room are compiled as one; 1: each alone")

function(llama_together target)
  if(LLAMA_TOGETHER GREATER 1)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${LLAMA_TOGETHER})
    # It takes a group's unnamed namespaces for a header's.
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()
