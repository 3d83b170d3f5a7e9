# Copies of the database in a bucket, against an S3 server of the peers (scripts/deps.sh --peers).
find_package(Python3 COMPONENTS Interpreter)
if(TARGET vislang AND Python3_FOUND)
    add_test(NAME s3.copies
             COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/s3/test_copies.py $<TARGET_FILE:vislang>)
    set_tests_properties(s3.copies PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77
                         ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
endif()
