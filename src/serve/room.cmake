# The browser page and the response schemas become part of the program.
file(GLOB serve_assets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/*.html ${CMAKE_SOURCE_DIR}/web/*.js
     ${CMAKE_SOURCE_DIR}/web/*.css ${CMAKE_SOURCE_DIR}/web/*.svg
     ${CMAKE_SOURCE_DIR}/web/review/*)
list(APPEND serve_assets ${CMAKE_SOURCE_DIR}/src/serve/schemas.json)
set(serve_assets_c ${CMAKE_BINARY_DIR}/serve_assets.c)
add_custom_command(
    OUTPUT ${serve_assets_c}
    COMMAND ${CMAKE_COMMAND} -DOUT=${serve_assets_c} "-DFILES=${serve_assets}"
            -P ${CMAKE_SOURCE_DIR}/src/serve/embed.cmake
    DEPENDS ${serve_assets} ${CMAKE_SOURCE_DIR}/src/serve/embed.cmake
    COMMENT "Embedding the browser page" VERBATIM)
target_sources(vl_serve PRIVATE ${serve_assets_c})
