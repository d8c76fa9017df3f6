/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of objects: part of generate_layout.c, which includes this once. */

static void print_types(void)
{
    SECTION("PyObject, PyVarObject: object.h");
    OFFSET(object_refcnt, PyObject, ob_refcnt);
    OFFSET(object_type, PyObject, ob_type);
    SIZE(object_size, PyObject);
    OFFSET(var_size, PyVarObject, ob_size);
    SECTION("PyTypeObject, PyHeapTypeObject: cpython/object.h");
    OFFSET(type_name, PyTypeObject, tp_name);
    OFFSET(type_basicsize, PyTypeObject, tp_basicsize);
    OFFSET(type_itemsize, PyTypeObject, tp_itemsize);
    OFFSET(type_flags, PyTypeObject, tp_flags);
    OFFSET(type_getset, PyTypeObject, tp_getset);
    OFFSET(type_members, PyTypeObject, tp_members);
    OFFSET(type_methods, PyTypeObject, tp_methods);
    OFFSET(type_dict, PyTypeObject, tp_dict);
    OFFSET(type_base, PyTypeObject, tp_base);
    OFFSET(type_bases, PyTypeObject, tp_bases);
    OFFSET(type_mro, PyTypeObject, tp_mro);
    OFFSET(type_dictoffset, PyTypeObject, tp_dictoffset);
    OFFSET(type_weaklistoffset, PyTypeObject, tp_weaklistoffset);
    OFFSET(type_cache, PyTypeObject, tp_cache);
    OFFSET(type_subclasses, PyTypeObject, tp_subclasses);
    OFFSET(type_weaklist, PyTypeObject, tp_weaklist);
    SIZE(type_size, PyTypeObject);
    OFFSET(heaptype_name, PyHeapTypeObject, ht_name);
    OFFSET(heaptype_qualname, PyHeapTypeObject, ht_qualname);
    OFFSET(heaptype_slots, PyHeapTypeObject, ht_slots);
#if SINCE(9)
    OFFSET(heaptype_module, PyHeapTypeObject, ht_module);
#endif
    OFFSET(heaptype_cached_keys, PyHeapTypeObject, ht_cached_keys);
    SIZE(heaptype_size, PyHeapTypeObject);
    OFFSET(type_traverse, PyTypeObject, tp_traverse);
    OFFSET(type_dealloc, PyTypeObject, tp_dealloc);
    OFFSET(type_finalize, PyTypeObject, tp_finalize);
    OFFSET(type_del, PyTypeObject, tp_del);
}

static void print_unicode(void)
{
    struct bits bits;
    SECTION("PyUnicodeObject and the bits of its state: cpython/unicodeobject.h");
    OFFSET(unicode_length, PyASCIIObject, length);
    OFFSET(unicode_hash, PyASCIIObject, hash);
    OFFSET(unicode_state, PyASCIIObject, state);
    BITS(bits, PyASCIIObject, state, state.kind);
    NUMBER(unicode_kind_shift, bits.shift);
    NUMBER(unicode_kind_mask, bits.mask);
    BITS(bits, PyASCIIObject, state, state.compact);
    NUMBER(unicode_compact_shift, bits.shift);
    BITS(bits, PyASCIIObject, state, state.ascii);
    NUMBER(unicode_ascii_shift, bits.shift);
    BITS(bits, PyASCIIObject, state, state.interned);
    NUMBER(unicode_interned_shift, bits.shift);
    NUMBER(unicode_interned_mask, bits.mask);
#if UNTIL(11)
    BITS(bits, PyASCIIObject, state, state.ready);
    NUMBER(unicode_ready_shift, bits.shift);
    OFFSET(unicode_wstr, PyASCIIObject, wstr);
    OFFSET(unicode_wstr_length, PyCompactUnicodeObject, wstr_length);
#endif
    OFFSET(unicode_utf8, PyCompactUnicodeObject, utf8);
    OFFSET(unicode_utf8_length, PyCompactUnicodeObject, utf8_length);
    OFFSET(unicode_data_any, PyUnicodeObject, data);
    SIZE(unicode_ascii_header_size, PyASCIIObject);
    SIZE(unicode_compact_header_size, PyCompactUnicodeObject);
    SIZE(unicode_size, PyUnicodeObject);
}

static void print_numbers(void)
{
    SECTION("bytes, bytearray, float, complex, int");
    OFFSET(bytes_data, PyBytesObject, ob_sval);
    OFFSET(bytearray_start, PyByteArrayObject, ob_start);
    OFFSET(bytearray_alloc, PyByteArrayObject, ob_alloc);
    OFFSET(float_value, PyFloatObject, ob_fval);
    OFFSET(complex_value, PyComplexObject, cval);
#if SINCE(12)
    OFFSET(long_digits, PyLongObject, long_value.ob_digit);
    OFFSET(long_tag, PyLongObject, long_value.lv_tag);
#else
    /* struct _longobject: longintrepr.h */
    NUMBER(long_digits, sizeof(PyVarObject));
#endif
    NUMBER(long_digit_bits, PYLONG_BITS_IN_DIGIT);
    SECTION("PyDecObject: Modules/_decimal/_decimal.c; mpd_t: libmpdec/mpdecimal.h");
    NUMBER(decimal_flags, 24);
    NUMBER(decimal_exponent, 32);
    NUMBER(decimal_digits, 40);
    NUMBER(decimal_len, 48);
    NUMBER(decimal_words, 64);
    NUMBER(constant_decimal_negative, 1);
    NUMBER(constant_decimal_infinite, 2);
    NUMBER(constant_decimal_nan, 4);
    NUMBER(constant_decimal_snan, 8);
}

static void print_sequences(void)
{
    SECTION("tuple, list, set, slice, cell");
    OFFSET(tuple_items, PyTupleObject, ob_item);
    OFFSET(list_items, PyListObject, ob_item);
    OFFSET(list_allocated, PyListObject, allocated);
    OFFSET(set_fill, PySetObject, fill);
    OFFSET(set_used, PySetObject, used);
    OFFSET(set_mask, PySetObject, mask);
    OFFSET(set_table, PySetObject, table);
    OFFSET(set_entry_key, setentry, key);
    SIZE(set_entry_size, setentry);
    OFFSET(slice_start, PySliceObject, start);
    OFFSET(slice_stop, PySliceObject, stop);
    OFFSET(slice_step, PySliceObject, step);
    OFFSET(cell_contents, PyCellObject, ob_ref);
    SECTION("rangeobject: Objects/rangeobject.c");
    NUMBER(range_start, 16);
    NUMBER(range_stop, 24);
    NUMBER(range_step, 32);
    NUMBER(range_length, 40);
}

static void print_dict(void)
{
    SECTION("PyDictObject: cpython/dictobject.h");
    OFFSET(dict_used, PyDictObject, ma_used);
    OFFSET(dict_keys, PyDictObject, ma_keys);
    OFFSET(dict_values, PyDictObject, ma_values);
#if SINCE(11)
    SECTION("PyDictKeysObject, PyDictValues: internal/pycore_dict.h");
    OFFSET(keys_refcnt, PyDictKeysObject, dk_refcnt);
    OFFSET(keys_size_or_log2, PyDictKeysObject, dk_log2_size);
    OFFSET(keys_log2_index_bytes, PyDictKeysObject, dk_log2_index_bytes);
    OFFSET(keys_kind, PyDictKeysObject, dk_kind);
    OFFSET(keys_usable, PyDictKeysObject, dk_usable);
    OFFSET(keys_nentries, PyDictKeysObject, dk_nentries);
    OFFSET(keys_indices, PyDictKeysObject, dk_indices);
    SIZE(keys_entry_size, PyDictKeyEntry);
    OFFSET(keys_entry_hash, PyDictKeyEntry, me_hash);
    OFFSET(keys_entry_key, PyDictKeyEntry, me_key);
    OFFSET(keys_entry_value, PyDictKeyEntry, me_value);
    SIZE(keys_unicode_entry_size, PyDictUnicodeEntry);
    OFFSET(keys_unicode_entry_key, PyDictUnicodeEntry, me_key);
    OFFSET(keys_unicode_entry_value, PyDictUnicodeEntry, me_value);
    OFFSET(values_array, PyDictValues, values);
#else
    SECTION("PyDictKeysObject: Objects/dict-common.h");
    NUMBER(keys_refcnt, 0);
    NUMBER(keys_size_or_log2, 8);
    NUMBER(keys_lookup, 16);
    NUMBER(keys_usable, 24);
    NUMBER(keys_nentries, 32);
    NUMBER(keys_indices, 40);
    NUMBER(keys_entry_size, 24);
    NUMBER(keys_entry_hash, 0);
    NUMBER(keys_entry_key, 8);
    NUMBER(keys_entry_value, 16);
    NUMBER(values_array, 0);
#endif
#if SINCE(13)
    OFFSET(values_capacity, PyDictValues, capacity);
    OFFSET(values_size, PyDictValues, size);
    OFFSET(values_embedded, PyDictValues, embedded);
    OFFSET(values_valid, PyDictValues, valid);
#elif SINCE(11)
    /* _PyDictValues_AddToInsertionOrder in internal/pycore_dict.h */
    NUMBER(values_prefix_before, 1);
    NUMBER(values_size_before, 2);
    NUMBER(values_order_before, 3);
#endif
#if SINCE(11)
    SECTION("slots before the object: internal/pycore_object.h");
#if SINCE(13)
    NUMBER(managed_dict_before_object, -MANAGED_DICT_OFFSET);
#else
    NUMBER(managed_dict_before_object, 3 * sizeof(PyObject *));
#endif
#if UNTIL(11)
    NUMBER(managed_values_before_object, 4 * sizeof(PyObject *));
#elif UNTIL(12)
    NUMBER(managed_values_before_object, 3 * sizeof(PyObject *));
    NUMBER(constant_managed_values_tag, 1);
#endif
#if SINCE(12)
    NUMBER(managed_weakref_before_object, -MANAGED_WEAKREF_OFFSET);
#endif
#endif
}

static void print_collections(void)
{
    SECTION("dequeobject, BLOCK, defdictobject: Modules/_collectionsmodule.c");
    NUMBER(deque_left_block, 24);
    NUMBER(deque_right_block, 32);
    NUMBER(deque_left_index, 40);
    NUMBER(deque_right_index, 48);
    NUMBER(deque_maxlen, 64);
#if SINCE(11)
    NUMBER(deque_size, 216);
#else
    NUMBER(deque_size, 80);
#endif
    NUMBER(deque_block_left, 0);
    NUMBER(deque_block_data, 8);
    NUMBER(deque_block_length, 64);
    NUMBER(deque_block_right, 520);
    NUMBER(defaultdict_factory, 48);
    SECTION("PyODictObject, _odictnode: Objects/odictobject.c");
    NUMBER(odict_first, 48);
    NUMBER(odictnode_key, 0);
    NUMBER(odictnode_next, 16);
    SECTION("partialobject: Modules/_functoolsmodule.c");
    NUMBER(partial_function, 16);
    NUMBER(partial_args, 24);
    NUMBER(partial_keywords, 32);
    SECTION("datetime.h");
    OFFSET(date_data, PyDateTime_Date, data);
    OFFSET(datetime_data, PyDateTime_DateTime, data);
    OFFSET(datetime_has_tzinfo, PyDateTime_DateTime, hastzinfo);
    OFFSET(datetime_fold, PyDateTime_DateTime, fold);
    OFFSET(datetime_tzinfo, PyDateTime_DateTime, tzinfo);
    OFFSET(time_data, PyDateTime_Time, data);
    OFFSET(time_has_tzinfo, PyDateTime_Time, hastzinfo);
    OFFSET(time_fold, PyDateTime_Time, fold);
    OFFSET(time_tzinfo, PyDateTime_Time, tzinfo);
    OFFSET(timedelta_days, PyDateTime_Delta, days);
    OFFSET(timedelta_seconds, PyDateTime_Delta, seconds);
    OFFSET(timedelta_microseconds, PyDateTime_Delta, microseconds);
}

static void print_functions(void)
{
    SECTION("function, method, builtin function: cpython/funcobject.h, methodobject.h");
    OFFSET(function_globals, PyFunctionObject, func_globals);
    OFFSET(function_name, PyFunctionObject, func_name);
    OFFSET(function_qualname, PyFunctionObject, func_qualname);
    OFFSET(function_code, PyFunctionObject, func_code);
    OFFSET(function_defaults, PyFunctionObject, func_defaults);
    OFFSET(function_kwdefaults, PyFunctionObject, func_kwdefaults);
    OFFSET(function_closure, PyFunctionObject, func_closure);
    OFFSET(function_doc, PyFunctionObject, func_doc);
    OFFSET(function_dict, PyFunctionObject, func_dict);
    OFFSET(function_module, PyFunctionObject, func_module);
    OFFSET(function_annotations, PyFunctionObject, func_annotations);
    OFFSET(method_function, PyMethodObject, im_func);
    OFFSET(method_self, PyMethodObject, im_self);
    OFFSET(cfunction_def, PyCFunctionObject, m_ml);
    OFFSET(cfunction_self, PyCFunctionObject, m_self);
    OFFSET(cfunction_module, PyCFunctionObject, m_module);
    OFFSET(methoddef_name, PyMethodDef, ml_name);
    OFFSET(methoddef_flags, PyMethodDef, ml_flags);
    SIZE(methoddef_size, PyMethodDef);
    SECTION("descriptors: descrobject.h, structmember.h");
    OFFSET(descr_type, PyDescrObject, d_type);
    OFFSET(descr_name, PyDescrObject, d_name);
    OFFSET(descr_qualname, PyDescrObject, d_qualname);
    OFFSET(memberdescr_def, PyMemberDescrObject, d_member);
    OFFSET(memberdef_name, PyMemberDef, name);
    OFFSET(memberdef_type, PyMemberDef, type);
    OFFSET(memberdef_offset, PyMemberDef, offset);
    OFFSET(memberdef_flags, PyMemberDef, flags);
    SIZE(memberdef_size, PyMemberDef);
    SECTION("propertyobject, mappingproxyobject: Objects/descrobject.c");
    NUMBER(property_get, 16);
    NUMBER(property_set, 24);
    NUMBER(property_delete, 32);
    NUMBER(mappingproxy_mapping, 16);
    SECTION("staticmethod, classmethod: Objects/funcobject.c");
    NUMBER(staticmethod_callable, 16);
    NUMBER(classmethod_callable, 16);
#if SINCE(11)
    SECTION("PyModuleObject: internal/pycore_moduleobject.h");
    OFFSET(module_dict, PyModuleObject, md_dict);
    OFFSET(module_name, PyModuleObject, md_name);
    SIZE(module_size, PyModuleObject);
    OFFSET(module_state, PyModuleObject, md_state);
#if SINCE(15)
    OFFSET(module_state_size, PyModuleObject, md_state_size);
    OFFSET(module_state_traverse, PyModuleObject, md_state_traverse);
#else
    OFFSET(module_def, PyModuleObject, md_def);
#endif
#else
    SECTION("PyModuleObject: Objects/moduleobject.c");
    NUMBER(module_dict, 16);
    NUMBER(module_name, 48);
    NUMBER(module_size, 56);
    NUMBER(module_def, 24);
    NUMBER(module_state, 32);
#endif
    OFFSET(moduledef_state_size, PyModuleDef, m_size);
    OFFSET(moduledef_traverse, PyModuleDef, m_traverse);
    SECTION("PyWeakReference: cpython/weakrefobject.h");
    OFFSET(weakref_object, PyWeakReference, wr_object);
    OFFSET(weakref_callback, PyWeakReference, wr_callback);
}

static void print_locks(void)
{
    SECTION("lockobject, rlockobject: Modules/_threadmodule.c");
    NUMBER(lock_lock, 16);
#if SINCE(14) || PY_VERSION_HEX >= 0x030d0500
    NUMBER(lock_locked, 16);
    NUMBER(lock_size, 24);
#else
    NUMBER(lock_locked, 32);
    NUMBER(lock_size, 40);
#endif
    NUMBER(rlock_owner, 24);
#if SINCE(14)
    NUMBER(rlock_locked, 16);
    NUMBER(rlock_level, 32);
    NUMBER(rlock_size, 40);
#else
    NUMBER(rlock_count, 32);
    NUMBER(rlock_size, 48);
#endif
}

static void print_objects(void)
{
    print_types();
    print_unicode();
    print_numbers();
    print_sequences();
    print_dict();
    print_collections();
    print_functions();
    print_locks();
}
