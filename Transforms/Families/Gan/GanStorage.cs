using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Models;
using MLExtensions.Persistence;

namespace MLExtensions.Families.Gan;

/// <summary>How the networks of a GAN, and the names of its classes, are saved in a transformer.</summary>
internal static class GanStorage
{
    private const string GeneratorFolder = "Generator";
    private const string DiscriminatorFolder = "Discriminator";
    private const int MaximumClasses = 1 << 20;

    public static void SaveGan(this ModelSaveContext ctx, NetworkModelParameters generator, NetworkModelParameters discriminator)
    {
        ctx.SaveModel(generator, GeneratorFolder);
        ctx.SaveModel(discriminator, DiscriminatorFolder);
    }

    /// <param name="ctx">The model.</param>
    /// <param name="env">The environment.</param>
    /// <param name="description">The expected kind of generator, for the message.</param>
    /// <param name="fits">Whether the transformer can use a generator.</param>
    /// <exception cref="ModelFormatException">A network is of another kind, or does not belong to the other one. Nothing stays in memory.</exception>
    public static (NetworkModelParameters Generator, NetworkModelParameters Discriminator) LoadGan(this ModelLoadContext ctx, IHostEnvironment env, string description, Func<GeneratorArchitecture, bool> fits)
    {
        var generator = ctx.LoadNetwork(env, GeneratorFolder, description, network => network is { Architecture: GeneratorArchitecture architecture, Head: null } && fits(architecture));
        try
        {
            var shape = (GeneratorArchitecture)generator.Architecture;
            return (generator, ctx.LoadNetwork(env, DiscriminatorFolder, FormattableString.Invariant($"a discriminator of {shape.OutputCount} values and {shape.ClassCount} classes"), network =>
                network is { Architecture: DiscriminatorArchitecture judge, Head: null } && judge.SampleSize == shape.OutputCount && judge.ClassCount == shape.ClassCount));
        }
        catch
        {
            generator.Dispose();
            throw;
        }
    }

    public static void SaveClassNames(this ModelSaveContext ctx, IReadOnlyList<string>? names)
    {
        ctx.Writer.Write(names?.Count ?? -1);
        foreach (var name in names ?? [])
            ctx.SaveString(name);
    }

    /// <exception cref="ModelFormatException">The number of names cannot be.</exception>
    public static string[]? LoadClassNames(this ModelLoadContext ctx)
    {
        var count = ctx.Reader.ReadInt32();
        if (count < -1 || count > MaximumClasses)
            throw new ModelFormatException("Model.key", FormattableString.Invariant($"has {count} names of classes"));
        return count < 0 ? null : Enumerable.Range(0, count).Select(_ => ctx.LoadString()).ToArray();
    }
}
