# The scanner's number: a hash of the sources that decide what a text's directives are and how they
# are encoded, so that results that another scanner left in a cache are never read for this one's
# (docs/wire_format.md, S2). A changed comment costs a cache; a number that somebody must remember
# to raise would one day cost a wrong closure.
#
#   llama_scanner_version(TARGET)   to be called in src/: adds a source that defines
#                                   scan::kScannerVersion (scan/text/scanner_version.h)
if(CMAKE_SCRIPT_MODE_FILE)
  set(all "")
  foreach(source ${SOURCES})
    file(SHA256 ${source} hash)
    string(APPEND all ${hash})
  endforeach()
  string(SHA256 hash "${all}")
  string(SUBSTRING ${hash} 0 16 number)
  file(WRITE ${OUT} "#include \"scan/text/scanner_version.h\"\n\n"
       "const uint64_t llama::scan::kScannerVersion = 0x${number};\n")
  return()
endif()

function(llama_scanner_version target)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/scan/text/*.cc
       ${CMAKE_CURRENT_SOURCE_DIR}/scan/text/*.h)
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")
  foreach(name hash.h codec.h codec.cc)
    list(APPEND sources ${CMAKE_CURRENT_SOURCE_DIR}/base/${name})
  endforeach()
  set(out ${CMAKE_BINARY_DIR}/generated/scanner_version.cc)
  set(script ${CMAKE_SOURCE_DIR}/cmake/ScannerVersion.cmake)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} "-DSOURCES=${sources}" -DOUT=${out} -P ${script}
    DEPENDS ${sources} ${script}
    COMMENT "Hashing the scanner"
    VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
