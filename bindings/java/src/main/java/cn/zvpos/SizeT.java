package cn.zvpos;

import com.sun.jna.IntegerType;

/** size_t: as wide as the process has it. Public for JNA only. */
public final class SizeT extends IntegerType {
    private static final long serialVersionUID = 1L;

    /** Zero. */
    public SizeT() {
        this(0);
    }

    /** This many bytes. */
    public SizeT(long value) {
        super(com.sun.jna.Native.SIZE_T_SIZE, value, true);
    }
}
