namespace MLExtensions.Text;

/// <summary>Makes text of tokens one by one. One decoder belongs to one text.</summary>
internal abstract class TextDecoder
{
    /// <summary>The text that one more token adds; perhaps none yet.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="id"/> is no token's number.</exception>
    public abstract string Append(int id);

    /// <summary>What was held back, when no more tokens come.</summary>
    public virtual string Finish() => "";
}
