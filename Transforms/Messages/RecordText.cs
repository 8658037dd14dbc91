using System.Globalization;
using System.Text;

namespace MLExtensions.Messages;

/// <summary>The text of a record as the compiler writes it, but with numbers that look the same wherever they are read.</summary>
internal static class RecordText
{
    /// <param name="name">The name of the record's type.</param>
    /// <param name="printMembers">The record's own method of that name.</param>
    public static string Of(string name, Func<StringBuilder, bool> printMembers)
    {
        // What the compiler writes takes the culture of the thread, also in records within records.
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            var text = new StringBuilder(name).Append(" { ");
            return (printMembers(text) ? text.Append(' ') : text).Append('}').ToString();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
