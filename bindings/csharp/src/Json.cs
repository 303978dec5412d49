using System;
using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;

namespace Zvpos
{
    /// <summary>Writes requests. What cannot be written exactly is refused: double and float cannot hold 0.10 元.</summary>
    internal static class Json
    {
        /// <summary>A text is JSON already; null stays null.</summary>
        internal static string Of(object request)
        {
            if (request == null) return null;
            var text = request as string;
            if (text != null) return text;
            var json = new StringBuilder();
            Write(json, request);
            return json.ToString();
        }

        static void Write(StringBuilder json, object value)
        {
            if (value == null) json.Append("null");
            else if (value is string) WriteText(json, (string)value);
            else if (value is bool) json.Append((bool)value ? "true" : "false");
            else if (IsExact(value)) json.Append(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture));
            else if (value is double || value is float)
                throw new ArgumentException("double and float are not exact: give money as decimal or as text");
            else if (value is IDictionary) WriteDictionary(json, (IDictionary)value);
            else if (value is IEnumerable) WriteList(json, (IEnumerable)value);
            else WriteProperties(json, value);
        }

        static bool IsExact(object value)
        {
            return value is decimal || value is int || value is long || value is uint || value is ulong || value is short
                || value is ushort || value is byte || value is sbyte;
        }

        static void WriteDictionary(StringBuilder json, IDictionary members)
        {
            var separator = "{";
            foreach (DictionaryEntry member in members)
            {
                json.Append(separator);
                WriteText(json, (string)member.Key);
                json.Append(':');
                Write(json, member.Value);
                separator = ",";
            }
            json.Append(separator == "{" ? "{}" : "}");
        }

        static void WriteList(StringBuilder json, IEnumerable items)
        {
            var separator = "[";
            foreach (var item in items)
            {
                json.Append(separator);
                Write(json, item);
                separator = ",";
            }
            json.Append(separator == "[" ? "[]" : "]");
        }

        static void WriteProperties(StringBuilder json, object value)
        {
            var separator = "{";
            foreach (var property in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                json.Append(separator);
                WriteText(json, property.Name);
                json.Append(':');
                Write(json, property.GetValue(value, null));
                separator = ",";
            }
            json.Append(separator == "{" ? "{}" : "}");
        }

        static void WriteText(StringBuilder json, string text)
        {
            json.Append('"');
            foreach (var c in text)
            {
                if (c == '"' || c == '\\') json.Append('\\').Append(c);
                else if (c < ' ') json.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                else json.Append(c);
            }
            json.Append('"');
        }
    }
}
