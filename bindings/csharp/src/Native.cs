using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Zvpos
{
    /// <summary>The C functions, and how texts pass to and from them: UTF-8, NUL-terminated.</summary>
    internal static class Native
    {
        /// <summary>The first version of the interface that has every function below.</summary>
        const uint AbiVersion = 3;

        const string Library = "zvpos";
        const CallingConvention C = CallingConvention.Cdecl;

        // A result declared as string would be freed with the wrong allocator; an argument, turned into the ANSI code page.
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_init(byte[] config);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_coupon_quote_json(byte[] request);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_consume_json(byte[] request);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_reverse_json(byte[] request);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_lookup_json(byte[] request);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_pending_json(byte[] request);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_recover_json(byte[] request);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_confirm_json(byte[] request);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_settle_json(byte[] request);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_call_json(byte[] action, byte[] parameters);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_start_json(byte[] operation, byte[] request);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_poll_json(byte[] ticket);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_biz_id();
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr zv_shutdown();
        [DllImport(Library, CallingConvention = C)] static extern int zv_outcome(IntPtr response);
        [DllImport(Library, CallingConvention = C)] static extern UIntPtr zv_field(byte[] response, byte[] path, byte[] buffer, UIntPtr capacity);
        [DllImport(Library, CallingConvention = C)] static extern void zv_free(IntPtr response);
        [DllImport(Library, CallingConvention = C)] static extern IntPtr zv_version();
        [DllImport(Library, CallingConvention = C)] static extern uint zv_abi_version();

        internal static string Version
        {
            get { return Text(zv_version()); }
        }

        /// <summary>Fails before any money moves, not at the first function that an old library lacks.</summary>
        internal static void CheckVersion()
        {
            var found = zv_abi_version();
            if (found < AbiVersion)
                throw new ZvException("this library has interface " + found + ", needed is " + AbiVersion, null);
        }

        /// <summary>UTF-8 with NUL; null stays null.</summary>
        internal static byte[] In(string text)
        {
            if (text == null) return null;
            if (text.IndexOf('\0') >= 0) throw new ArgumentException("a text with NUL would be cut there");
            return Encoding.UTF8.GetBytes(text + "\0");
        }

        /// <summary>Copies an answer and gives it back. If there is no memory for the copy it is not given back: the
        /// library then knows that the till has not acknowledged it, and names it after the next start.</summary>
        internal static Answer Out(IntPtr response)
        {
            var number = zv_outcome(response);
            var text = Text(response);
            zv_free(response);
            // An outcome of a later version never completes a sale.
            var outcome = Enum.IsDefined(typeof(Outcome), number) ? (Outcome)number : Outcome.Unknown;
            return new Answer(outcome, text);
        }

        /// <summary>One value of an answer as text; "" where there is none.</summary>
        internal static string Field(string json, string path)
        {
            byte[] jsonBytes = In(json), pathBytes = In(path), buffer = new byte[256];
            var length = Field(jsonBytes, pathBytes, buffer);
            if (length >= buffer.Length)
            {
                buffer = new byte[length];
                length = Field(jsonBytes, pathBytes, buffer);
            }
            return Encoding.UTF8.GetString(buffer, 0, length);
        }

        static int Field(byte[] json, byte[] path, byte[] buffer)
        {
            return checked((int)zv_field(json, path, buffer, (UIntPtr)(uint)buffer.Length).ToUInt64());
        }

        static string Text(IntPtr pointer)
        {
            var length = 0;
            while (Marshal.ReadByte(pointer, length) != 0) length++;
            var bytes = new byte[length];
            Marshal.Copy(pointer, bytes, 0, length);
            return Encoding.UTF8.GetString(bytes);
        }
    }
}
