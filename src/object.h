/*
 * object.h: the userdata kit every type of the core is made with.
 *
 * An object is born zeroed and with its metatable, so that whatever fails
 * afterwards, the collector can finish it: zero means closed. The type name
 * is the registry key of the metatable and its __name.
 */
#ifndef SC_OBJECT_H
#define SC_OBJECT_H

#include "compat.h"

#include <stddef.h>

/* What the struct of every object begins with: the address of its type's name
 * tells it from any other userdata without a look at metatables. */
typedef struct ObjectHead {
  const char *type;
} ObjectHead;

/* Makes the metatable of `type`. `methods` are found by indexing; when
 * `metamethods` brings an __index of its own, it has to look them up with
 * sc_object_method. Leaves the stack as it was. */
void sc_object_define(lua_State *L, const char *type, const luaL_Reg *methods,
                      const luaL_Reg *metamethods);

/* Adds methods to a type that has an __index of its own. */
void sc_object_extend(lua_State *L, const char *type, const luaL_Reg *methods);

/* Pushes a new object of `size` bytes, zero but for the head, and `slots`
 * values to keep alive, for sc_setslot and sc_getslot. */
void *sc_object_new(lua_State *L, const char *type, size_t size, int slots);

/* The object at `index`; raises an argument error for anything else. */
void *sc_object_check(lua_State *L, int index, const char *type);

/* The object at `index`, or NULL. */
void *sc_object_test(lua_State *L, int index, const char *type);

/* Pushes the method named by the string at `key` and returns 1, or pushes
 * nothing and returns 0. Only for an __index given to sc_object_define: the
 * methods are its upvalue. */
int sc_object_method(lua_State *L, int key);

#endif
