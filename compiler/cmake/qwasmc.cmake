# Compiles quantum programs in CMake builds (3.21 or newer), with every generator.
#
#   execute_process(COMMAND qwasmc --cmake-dir OUTPUT_VARIABLE dir OUTPUT_STRIP_TRAILING_WHITESPACE)
#   include(${dir}/qwasmc.cmake)
#   qwasmc_compile(TARGET bell SOURCE bell.qwasm OUTPUT bell.stim OPTIONS -d 5 --noise uniform:0.001)
#
# qwasmc_compile adds a target that is built with the others.  SOURCE and INCLUDE_DIRS are seen from
# the source folder, OUTPUT from the binary folder, where qwasmc runs: all names that it gets are
# relative, so that equal checkouts make equal files.  A file that the program includes is a
# dependency.  The property QWASMC_OUTPUT of the target is the path of the output.

include_guard(GLOBAL)
cmake_policy(PUSH)
cmake_policy(VERSION 3.21) # dependency files are read as they are meant here (CMP0116)

find_program(QWASMC_EXECUTABLE qwasmc REQUIRED)

function(qwasmc_compile)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET;SOURCE;OUTPUT" "INCLUDE_DIRS;OPTIONS")
  foreach(name IN ITEMS TARGET SOURCE OUTPUT)
    if(NOT arg_${name})
      message(FATAL_ERROR "qwasmc_compile: ${name} is missing")
    endif()
  endforeach()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "qwasmc_compile: unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()

  get_filename_component(output "${arg_OUTPUT}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
  get_filename_component(source "${arg_SOURCE}" ABSOLUTE)
  file(RELATIVE_PATH to "${CMAKE_CURRENT_BINARY_DIR}" "${output}")
  file(RELATIVE_PATH from "${CMAKE_CURRENT_BINARY_DIR}" "${source}")
  set(includes)
  foreach(folder IN LISTS arg_INCLUDE_DIRS)
    get_filename_component(folder "${folder}" ABSOLUTE)
    file(RELATIVE_PATH folder "${CMAKE_CURRENT_BINARY_DIR}" "${folder}")
    list(APPEND includes -I "${folder}")
  endforeach()

  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${QWASMC_EXECUTABLE}" compile "${from}" -o "${to}" -MF "${to}.d" ${includes}
            ${arg_OPTIONS}
    DEPENDS "${source}"
    DEPFILE "${to}.d"
    WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}"
    COMMENT "Compiling ${arg_SOURCE}"
    VERBATIM
  )
  add_custom_target(${arg_TARGET} ALL DEPENDS "${output}")
  set_target_properties(${arg_TARGET} PROPERTIES QWASMC_OUTPUT "${output}")
endfunction()

cmake_policy(POP)
