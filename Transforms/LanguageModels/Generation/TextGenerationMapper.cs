using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Text;

namespace MLExtensions.LanguageModels;

/// <summary>Maps a column of prompts to the column of what follows them.</summary>
internal sealed class TextGenerationMapper(TextGenerationTransformer transformer, DataViewSchema.Column prompts) : IRowMapper
{
    public Func<int, bool> GetDependencies(Func<int, bool> activeOutput) => column => column == prompts.Index && activeOutput(0);

    public DataViewSchema.DetachedColumn[] GetOutputColumns() => [new(transformer.OutputColumnName, TextDataViewType.Instance)];

    public Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action? disposer)
    {
        disposer = null;
        if (!activeOutput(0))
            return [null!];
        var getPrompt = input.GetGetter<ReadOnlyMemory<char>>(input.Schema[prompts.Index]);
        ReadOnlyMemory<char> prompt = default;
        var ids = new List<int>();
        ValueGetter<ReadOnlyMemory<char>> getText = (ref ReadOnlyMemory<char> text) =>
        {
            getPrompt(ref prompt);
            ids.Clear();
            TextColumn.Encode(transformer.Model.Tokenizer, prompt.Span, ids, prompts.Name, input.Position);
            var seed = SeedOf(prompt.Span, transformer.Options.Seed!.Value);
            text = string.Concat(transformer.Model.Generator.Write(ids, transformer.Options, seed)).AsMemory();
        };
        return [getText];
    }

    public ITransformer GetTransformer() => transformer;

    public void Save(ModelSaveContext ctx) => ((ICanSaveModel)transformer).Save(ctx);

    /// <summary>A seed that is the same for the same prompt, in whatever row and process.</summary>
    private static int SeedOf(ReadOnlySpan<char> prompt, int seed)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(prompt), hash);
        return BinaryPrimitives.ReadInt32LittleEndian(hash) ^ seed;
    }
}
