# headers_compile_alone: each header by itself, as a compiler reads it. One that leans on what its
# includer included before does not compile. Not part of `all`; made anew for what changed.
file(GLOB_RECURSE headers RELATIVE ${CMAKE_SOURCE_DIR}/src CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*.h)
set(stamps)
foreach(header ${headers})
  set(stamp ${CMAKE_BINARY_DIR}/headers/${header}.ok)
  get_filename_component(folder ${stamp} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(
    OUTPUT ${stamp}
    COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -Wall -Wextra -Werror -fsyntax-only
            -I ${CMAKE_SOURCE_DIR}/src -MD -MF ${stamp}.d -MT ${stamp}
            -include ${header} -x c++ /dev/null
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
    DEPENDS ${CMAKE_SOURCE_DIR}/src/${header}
    DEPFILE ${stamp}.d
    COMMENT "Reading ${header} by itself"
    VERBATIM)
  list(APPEND stamps ${stamp})
endforeach()
add_custom_target(headers_compile_alone DEPENDS ${stamps})
