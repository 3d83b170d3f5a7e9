/* sdmx.h — data of the Statistical Data and Metadata eXchange, version 2.1: messages of
 * "structure specific" XML, which sources call compact (SDMX 2.1 Technical Specification, part
 * 3A, "StructureSpecificData"), and SDMX-CSV.
 *
 * The XML comes from outside: it may declare no document type, so it has no entities but XML's
 * own and asks for no other file; it has no more than 24 levels; the network is never asked.
 *
 * Thread-safety: all functions, on different tables. */
#ifndef VL_HARVEST_SDMX_H
#define VL_HARVEST_SDMX_H

#include "harvest/table.h"

/* A row for each observation: the attributes of its series, then its own. Attributes of the
 * data set and of groups are not among them. VL_ERR_INPUT: it is no whole message of this kind,
 * or says that something is wrong (with what it says); VL_ERR_LIMIT: no memory. */
vl_status vl_sdmx_read_xml(const char *text, size_t bytes, vl_table *table, vl_error *error);

/* The same of comma separated values (RFC 4180) with names in the first line, among them
 * REF_AREA, TIME_PERIOD and OBS_VALUE. VL_ERR_INPUT: it is no such table, or it ends within a
 * quoted value, or a line has more values than there are names. */
vl_status vl_sdmx_read_csv(const char *text, size_t bytes, vl_table *table, vl_error *error);

#endif
