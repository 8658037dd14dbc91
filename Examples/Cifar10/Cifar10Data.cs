using System.Formats.Tar;
using System.IO.Compression;
using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Cifar10;

/// <summary>CIFAR-10 as JPEG files: 50,000 images of 32 x 32 pixels for training, 10,000 for testing.</summary>
internal static class Cifar10Data
{
    public const int Side = 32;
    private const string Archive = "cifar10_jpeg_full.tar.gz";

    /// <summary>Where the archive or the folders are.</summary>
    public static ExternalData Files { get; } = new("CIFAR-10", "data", "DIR", $"Folder that has {Archive}, or its folders train and test.", "cifar10");

    /// <summary>Finds the folders train and test in a folder, or unpacks them from the archive there.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="output">Where the archive is unpacked, once.</param>
    public static string Find(string folder, OutputFolder output)
    {
        if (Directory.Exists(Path.Combine(folder, "train")))
            return folder;
        var archive = Path.Combine(folder, Archive);
        if (!File.Exists(archive))
            throw new UsageException($"'{folder}' has neither the folders train and test nor {Archive}.");
        var unpacked = output.PathOf("images");
        if (!Directory.Exists(unpacked))
        {
            var aside = unpacked + ".unpacking";
            if (Directory.Exists(aside))
                Directory.Delete(aside, recursive: true);
            Directory.CreateDirectory(aside);
            using var stream = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
            TarFile.ExtractToDirectory(stream, aside, overwriteFiles: false);
            Directory.Move(aside, unpacked);
        }
        // The archive may have a folder of its own around train and test.
        return Directory.Exists(Path.Combine(unpacked, "train")) ? unpacked : Directory.GetDirectories(unpacked).Single();
    }

    /// <summary>The columns Label and Features ([3, 32, 32], 0 to 255) of one part.</summary>
    public static IDataView Load(MLContext mlContext, string folder, string part)
    {
        var images = mlContext.Data.LoadFromImageFolder(Path.Combine(folder, part), Side, Side);
        return mlContext.Transforms.ExtractPixels("Features", "Image").Fit(images).Transform(images);
    }
}
