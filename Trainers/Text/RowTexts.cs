using Microsoft.ML;
using MLExtensions.Families.LanguageModels;

namespace MLExtensions.Text;

/// <summary>Reads a text column row by row.</summary>
internal static class RowTexts
{
    /// <summary>Creates the tokenizer of a text column.</summary>
    public static TextTokenizer CreateTokenizer(Tokenization tokenization, IDataView data, string column, Action check)
    {
        var builder = tokenization.CreateBuilder();
        if (builder.NeedsText)
            ForEachRow(data, column, check, (text, _) => builder.Add(text));
        return builder.Build();
    }

    /// <summary>Returns the tokens of all rows, including the end of each row.</summary>
    /// <exception cref="FormatException">A row contains something that is not in the vocabulary.</exception>
    public static TokenStore Read(IDataView data, string column, TextTokenizer tokenizer, Buffering buffering, Action check)
    {
        var store = TokenStore.Create(buffering);
        var tokens = new List<int>();
        try
        {
            ForEachRow(data, column, check, Add);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }

        void Add(ReadOnlySpan<char> text, long row)
        {
            tokens.Clear();
            TextColumn.Encode(tokenizer, text, tokens, column, row);
            tokens.Add(tokenizer.EndOfSequenceId);
            store.Append(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(tokens));
        }
    }

    private static void ForEachRow(IDataView data, string column, Action check, Action<ReadOnlySpan<char>, long> action)
    {
        var found = data.Schema[column];
        using var cursor = data.GetRowCursor([found]);
        var getter = cursor.GetGetter<ReadOnlyMemory<char>>(found);
        ReadOnlyMemory<char> text = default;
        while (cursor.MoveNext())
        {
            getter(ref text);
            action(text.Span, cursor.Position);
            if (cursor.Position % 1024 == 0)
                check();
        }
    }
}
