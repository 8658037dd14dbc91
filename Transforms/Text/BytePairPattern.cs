using System.Text.RegularExpressions;

namespace MLExtensions.Text;

/// <summary>Where no token reaches across: GPT-2's pattern (Radford et al., 2019).</summary>
internal static partial class BytePairPattern
{
    [GeneratedRegex(@"'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    public static partial Regex Regex { get; }
}
